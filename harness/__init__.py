"""The harness: measures strategies on the same blocks, proves every result, keeps records, compares and shows them."""

from contend.inner_names import refuse_top_level

refuse_top_level(__name__)
