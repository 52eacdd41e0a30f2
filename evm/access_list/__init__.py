"""Block access lists (EIP-7928): content, encodings, and how a list is made of what a block's execution touched."""

from contend.evm.access_list.difference import Difference, first_difference, state_before
from contend.evm.access_list.encoding import FULL, INDEXED, KINDS, LOCATIONS, READS, decode, encode, hash_of, of_kind
from contend.evm.access_list.json_form import from_json, to_json
from contend.evm.access_list.list_content import AccessList, AccessListError, AccountChanges, Readers
from contend.evm.access_list.serial_maker import access_list_content, access_list_of
from contend.evm.access_list.whole_list import ListedOperations, list_operations

__all__ = [
    "FULL",
    "INDEXED",
    "KINDS",
    "LOCATIONS",
    "READS",
    "AccessList",
    "AccessListError",
    "AccountChanges",
    "Difference",
    "ListedOperations",
    "Readers",
    "access_list_content",
    "access_list_of",
    "decode",
    "encode",
    "first_difference",
    "from_json",
    "hash_of",
    "list_operations",
    "of_kind",
    "state_before",
    "to_json",
]
