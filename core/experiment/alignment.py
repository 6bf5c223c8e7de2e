"""Which items of one row are those of another, where some were put in, taken out or changed."""

from collections.abc import Hashable, Sequence

MATCH = 1_000_000
"""What an equal pair counts; one at equal places counts one more."""


def aligned(ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> dict[int, int]:
    """Place here to place there of the items that both have in the same order.

    As many pairs as can be (the longest common subsequence), and of several ways the one that leaves most where they are.
    Takes time and memory in proportion to the product of the lengths, unless the rows are equal.
    """
    if list(ours) == list(theirs):
        return {place: place for place in range(len(ours))}
    best = [[0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    for i in range(len(ours) - 1, -1, -1):
        for j in range(len(theirs) - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1])
            if ours[i] == theirs[j]:
                best[i][j] = max(best[i][j], best[i + 1][j + 1] + MATCH + (i == j))
    pairs, i, j = {}, 0, 0
    while i < len(ours) and j < len(theirs):
        if ours[i] == theirs[j] and best[i][j] == best[i + 1][j + 1] + MATCH + (i == j):
            pairs[i] = j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs
