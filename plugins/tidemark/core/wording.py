"""Words for people. Pure."""


def some(count: int, noun: str) -> str:
    """A number of things: ``1 batch``, ``12,340 rows``.

    :param noun: of one; its plural ends as English has it
    """
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun}{'es' if noun.endswith('ch') else 's'}"
