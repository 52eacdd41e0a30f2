"""``contend risk``."""

from __future__ import annotations

import json

import click

from contend.harness.commands.common import bad_input, interruptible


@click.command("risk")
@click.option("--nodes", type=click.IntRange(1, 10_000_000), required=True, help="Of the chain, in all its shards.")
@click.option("--shards", type=click.IntRange(1, 100_000), required=True, help="To which nodes are dealt at random.")
@click.option(
    "--bad", metavar="SHARE", default="1/3", show_default=True, help="Of the nodes that are bad: 1/3, 0.25, 25%."
)
@click.option(
    "--resilience",
    metavar="SHARE",
    default="1/2",
    show_default=True,
    help="Of a shard's members that take it over if they are bad.",
)
@click.option(
    "--rule",
    type=click.Choice(["at-least", "more-than", "rounded-down"]),
    default="at-least",
    show_default=True,
    help="How that share is counted.",
)
@click.option(
    "--epoch", metavar="TIME", default="1d", show_default=True, help="For which shards stay: 30s, 6.4m, 12h, 1d."
)
@click.option(
    "--target",
    metavar="PROBABILITY",
    default="2^-40",
    show_default=True,
    help="Of a takeover of one shard, for which the smallest committee is found: 2^-40, 1e-6.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    nodes: int, shards: int, bad: str, resilience: str, rule: str, epoch: str, target: str, as_json: bool
) -> None:
    """Find out how likely it is that bad nodes take over a shard.

    Nodes are dealt to shards at random, anew each epoch. Two models, since papers use either: members drawn from a
    population without end (binomial), and the nodes that there are dealt out (hypergeometric). Nothing is simulated.
    """
    from contend.harness.analysis.committees import Chain
    from contend.harness.analysis.takeover import takeover
    from contend.harness.commands.quantities import chance, seconds, share
    from contend.harness.errors import BadInputError

    with bad_input(), interruptible():
        if shards > nodes:
            raise BadInputError(f"--shards {shards}: more than the {nodes} nodes; each shard needs one")
        chain = Chain(nodes, shards, share("--bad", bad), share("--resilience", resilience), rule)
        found = takeover(chain, seconds("--epoch", epoch), chance("--target", target))
        if as_json:
            click.echo(json.dumps(found.as_json(), indent=1))
        else:
            from rich.console import Console

            from contend.harness.present.tables.takeover_table import print_takeover

            print_takeover(Console(), found)
