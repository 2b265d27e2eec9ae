"""Orders of a list."""

import numpy as np

from mezzanine_core.builtin.permutations import Parts, PermutationSymmetry
from mezzanine_core.errors import DataError
from mezzanine_core.symmetries import value_key


class Loose(tuple):
    """A permutation that equals nothing that is not itself."""

    __slots__ = ()

    def __eq__(self, other):
        return self is other

    def __hash__(self):
        return id(self)


class Turns(PermutationSymmetry):
    family = "faulty"
    code_version = 1

    def parts(self, x):
        if not isinstance(x, list):
            if self.config.fault == "crashes":
                raise KeyError("items")
            raise DataError(f"a {type(x).__name__}, not a list")
        labels = [value_key(item) for item in x]
        return Parts(labels, lambda order: [x[place] for place in order], self.config.keep)

    def identity(self, x):
        identity = super().identity(x)
        if self.config.fault == "identity" and len(x) > 1:
            return (1, 0, *identity[2:])
        return identity

    def sample(self, x, rng):
        match self.config.fault:
            case "global":
                rng = np.random.default_rng(np.random.randint(1 << 30))
            case "unequal":
                return Loose(super().sample(x, rng))
            case "unhashable":
                return list(super().sample(x, rng))
            case "still":
                return self.identity(x)
        return super().sample(x, rng)

    def act(self, element, x, part="input"):
        if self.config.fault == "in place" and part == "input":
            moved = super().act(element, x)
            x[:] = moved
            return moved
        if self.config.fault == "parts" and part != "input":
            return x[::-1]
        return super().act(tuple(element), x, part)

    def orbit(self, x):
        orbit = super().orbit(x)
        if self.config.fault == "still":
            return None
        if self.config.fault == "repeats":
            elements = list(orbit)
            return iter([*elements, elements[0]])
        if self.config.fault == "half":
            return iter([*orbit][: self.orbit_size(x)])
        return orbit

    def orbit_size(self, x):
        size = super().orbit_size(x)
        if self.config.fault == "still":
            return None
        return max(1, size // 2) if self.config.fault == "half" else size

    def compose(self, second, first):
        if self.config.fault == "backwards":
            second, first = first, second
        return super().compose(second, first)

    def inverse(self, element):
        return element if self.config.fault == "inverse" else super().inverse(element)

    def views(self, x, k, seed):
        if self.config.fault == "hash":
            seed += hash("seed") % 1009
        return super().views(x, k, seed)
