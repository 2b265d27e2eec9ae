"""A recipe that sums latents."""

import itertools

from mezzanine_core.errors import DataError
from mezzanine_core.recipes import LatentRequest, Recipe
from mezzanine_core.results import Estimate, Results

RUNS = itertools.count()


class Sums(Recipe):
    def columns(self, ctx):
        data = ctx.world(self.config.world).load()
        return {name: data.transitions(name).obs for name in ("train", "test")}

    def latent_requests(self, ctx):
        if self.config.wrong == "silent":
            return []
        encoder = ctx.encoder(self.config.encoder)
        return [LatentRequest(name, column, encoder) for name, column in self.columns(ctx).items()]

    def run(self, ctx):
        wrong = self.config.wrong
        if wrong == "refuses":
            raise DataError("too few numbers")
        encoder = ctx.encoder(self.config.encoder)
        sums = dict.fromkeys(("train", "test"), 0.0)
        if wrong != "no latents":
            columns = self.columns(ctx)
            sums = {name: float(ctx.latents(columns[name], encoder).sum()) for name in columns}
        if wrong == "random":
            sums["train"] += next(RUNS)
        ctx.artifact("sums.txt").write_text("" if wrong == "empty file" else str(sums))
        if wrong == "picture":
            (ctx.out / "sums.svg").write_text("<svg/>")
        return Results(
            metrics={
                name: {"sum": Estimate(value=value, low=value, high=value)}
                for name, value in sums.items()
            },
            artifacts=("sums.txt",),
        )
