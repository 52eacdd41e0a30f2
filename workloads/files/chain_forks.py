"""When the forks of Ethereum's public chains began, as their clients have it (go-ethereum, `params/config.go`)."""

from __future__ import annotations

# By chain: seconds at which its forks since Paris began, the latest first.
TIMES = {
    1: (
        ("BPO2", 1_767_747_671),
        ("BPO1", 1_765_290_071),
        ("Osaka", 1_764_798_551),
        ("Prague", 1_746_612_311),
        ("Cancun", 1_710_338_135),
        ("Shanghai", 1_681_338_455),
    ),
    11_155_111: (
        ("BPO2", 1_761_607_008),
        ("BPO1", 1_761_017_184),
        ("Osaka", 1_760_427_360),
        ("Prague", 1_741_159_776),
        ("Cancun", 1_706_655_072),
        ("Shanghai", 1_677_557_088),
    ),
    17_000: (
        ("BPO2", 1_760_389_824),
        ("BPO1", 1_759_800_000),
        ("Osaka", 1_759_308_480),
        ("Prague", 1_740_434_112),
        ("Cancun", 1_707_305_664),
        ("Shanghai", 1_696_000_704),
    ),
    560_048: (
        ("BPO2", 1_762_955_544),
        ("BPO1", 1_762_365_720),
        ("Osaka", 1_761_677_592),
        ("Prague", 1_742_999_832),
        ("Cancun", 0),
    ),
}
# By chain: blocks at which the forks before began. Test chains began later, and had London's rules from their first
# block on; whether one of their blocks is before Paris, its difficulty says.
BLOCKS = {1: (("Paris", 15_537_394), ("London", 12_965_000), ("Berlin", 12_244_000))}
