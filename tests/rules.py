"""Rules for labels, by what they do."""

from models.decisions import DecisionRule

LIKELIEST = DecisionRule("single_label")


def several(*thresholds: float) -> DecisionRule:
    """Return the rule that gives each label that reaches its threshold."""
    return DecisionRule("multi_label", thresholds)
