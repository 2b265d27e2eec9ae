"""Planning: what a planner adds to its model calls, bfloat16, and plans from fewer calls.

``speed`` plans 50 goals × 300 samples × 30 iterations × horizon 5 with plain CEM through a
residual MLP with two hidden layers of 512 on latents of 384, with random weights: neither what the
model has learnt nor what the plans are worth changes how long they take. The reference is nothing
but the same number of calls of the model, in batches of one goal and in one batch. Planner and
reference take turns, and the ratio is the median of those of the turns. Plans of all goals together
and goal after goal have to be equal to the bit on a CPU, and elsewhere, where matrix products of
different sizes are rounded differently, of energies within 1%; or the exit status is 1.

``frugal`` trains a model, plans chains of test transitions by plain CEM, and asks what other ways
to plan reach with how many model calls: on a simulator (needs mezzanine-worlds-gymnasium) or on a
dataset of a robot (needs mezzanine-worlds-lerobot).

    python benchmarks/bench_planning.py speed [--repeats 3] [--goals 50] [--iterations 30]
    python benchmarks/bench_planning.py speed --device cuda
    python benchmarks/bench_planning.py frugal [--env LunarLanderContinuous-v3] [--hidden 512]
    python benchmarks/bench_planning.py frugal --data ../shared/data/g1_bottle

All take ``--json``. Needs an idle machine; ``--clock cpu`` makes the table of ``speed`` from
processor times, which suffer less from other work.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.builtin.noop import NoopConfig, NoopTracker
from mezzanine_core.cache import LatentCache
from mezzanine_core.config.resolve import resolve
from mezzanine_core.context import RunContext
from mezzanine_core.plugins import load_registry
from mezzanine_core.progress import Progress
from mezzanine_core.stats import bootstrap_reduction
from mezzanine_recipes_dynamics.inputs import load_inputs
from mezzanine_recipes_dynamics.plan_goals import Goals, chains
from mezzanine_recipes_dynamics.planning import (
    CEM,
    MPPI,
    Box,
    CEMSettings,
    GradientDescent,
    GradientSettings,
    LatentCost,
    Plan,
    Prior,
    ResidualMLP,
    RidgeProposal,
    expand_info,
    goal_seeds,
)
from mezzanine_recipes_dynamics.randomness import repetition_streams
from mezzanine_recipes_dynamics.samples import Samples
from mezzanine_recipes_dynamics.training import Trainer

DIM, ACTIONS, HIDDEN, HORIZON, SAMPLES = 384, 6, 512, 5, 300
TOLERANCE = 0.01
"""By which share energies of plans may differ where they cannot be equal to the bit."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("speed", "frugal"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--goals", type=int, default=50)
    parser.add_argument("--iterations", type=int, default=30)
    parser.add_argument("--device", default="cpu", help="where speed plans, such as cuda")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--env", default="LunarLanderContinuous-v3")
    parser.add_argument("--data", type=Path, help="a LeRobot dataset in place of the simulator")
    parser.add_argument("--hidden", type=int, default=HIDDEN)
    parser.add_argument("--train-steps", type=int, default=400)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    if options.what == "speed":
        device = torch.device(options.device)
        if device.type != "cpu" and options.clock == "cpu":
            parser.error("--clock cpu says nothing of work on another device")
        found = speed(options.goals, options.iterations, options.repeats, device)
        lines = speed_lines(found, options.clock)
    else:
        found = frugal(options)
        lines = frugal_lines(found)
    print(json.dumps(found, indent=1) if options.json else "\n".join(lines))
    if options.what == "speed" and not found["equal"]:
        raise SystemExit("plans of all goals together differ from those of each alone")


# What a planner takes beside its model calls


def speed(goals: int, iterations: int, repeats: int, device: torch.device) -> dict[str, Any]:
    """Times of the planner and of the bare calls, and whether batched equals serial."""
    torch.manual_seed(0)
    model = random_model().to(device)
    fast = model.in_bfloat16()
    info = {name: torch.randn(goals, DIM, device=device) for name in ("latent", "goal")}
    seeds = goal_seeds(0, goals)
    settings = CEMSettings(num_samples=SAMPLES, n_steps=iterations, topk=30)

    def plan(**search: Any) -> Plan:
        return planner(LatentCost(model, **search), settings).solve(info, seeds=seeds)

    def plan_alone() -> list[Plan]:
        alone = planner(LatentCost(model), settings)
        return [
            alone.solve(
                {name: value[goal : goal + 1] for name, value in info.items()}, seeds=[seed]
            )
            for goal, seed in enumerate(seeds)
        ]

    single, whole = (goals, 1), (1, goals)
    # In such batches LatentCost calls the model.
    usual = single if device.type == "cpu" else whole
    sides: dict[str, Callable[[], Any]] = {
        "calls": lambda: calls(model, *single, iterations, device),
        "calls_one_batch": lambda: calls(model, *whole, iterations, device),
        "planner": plan,
        "calls_bfloat16": lambda: calls(fast, *usual, iterations, device),
        "planner_bfloat16": lambda: plan(search_model=fast),
    }
    for each in (model, fast):
        calls(each, *usual, 1, device)
        planner(LatentCost(each), CEMSettings(n_steps=1)).solve(info, seeds=seeds)
    turns = [{name: measure(side, device) for name, side in sides.items()} for _ in range(repeats)]
    together, searched_fast = plan(), plan(search_model=fast)
    alone: list[Plan] = []
    serial = measure(lambda: alone.extend(plan_alone()), device)
    apart = [
        float((one.costs[0] - together.costs[goal]).abs() / together.costs[goal])
        for goal, one in enumerate(alone)
    ]
    same = all(
        torch.equal(one.actions[0], together.actions[goal]) for goal, one in enumerate(alone)
    )
    return {
        "device": str(device),
        "threads": torch.get_num_threads(),
        "goals": goals,
        "iterations": iterations,
        "wall": compare(
            [{name: one[0] for name, one in turn.items()} for turn in turns], serial[0]
        ),
        "cpu": compare([{name: one[1] for name, one in turn.items()} for turn in turns], serial[1]),
        "energy": float(together.costs.mean()),
        "energy_bfloat16": float(searched_fast.costs.mean()),
        "same_to_the_bit": same,
        "energies_apart": max(apart),
        "equal": same if device.type == "cpu" else max(apart) <= TOLERANCE,
    }


def measure(work: Callable[[], Any], device: torch.device) -> tuple[float, float]:
    """Seconds of wall time and of processor time."""
    wait(device)
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wait(device)
    return time.perf_counter() - wall, time.process_time() - cpu


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def compare(turns: list[dict[str, float]], serial: float) -> dict[str, Any]:
    """Medians of the times, and of the ratios within a turn."""

    def ratio(one: str, other: str) -> float:
        return median(turn[one] / turn[other] for turn in turns)

    seconds = {name: median(turn[name] for turn in turns) for name in turns[0]}
    return {
        "seconds": {**seconds, "serial": serial},
        "serial_over_together": serial / seconds["planner"],
        "overhead": ratio("planner", "calls") - 1,
        "overhead_one_batch": ratio("planner", "calls_one_batch") - 1,
        "bfloat16_calls": ratio("calls", "calls_bfloat16"),
        "bfloat16_calls_one_batch": ratio("calls_one_batch", "calls_bfloat16"),
        "bfloat16_planner": ratio("planner", "planner_bfloat16"),
        "overhead_bfloat16": ratio("planner_bfloat16", "calls_bfloat16") - 1,
    }


def random_model() -> ResidualMLP:
    """The model whose speed is asked for."""
    layers = [
        torch.nn.Linear(wide, narrow)
        for wide, narrow in ((DIM + ACTIONS, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, DIM))
    ]
    return ResidualMLP(
        [layer.weight.detach().T for layer in layers],
        [layer.bias.detach() for layer in layers],
        input_mean=torch.zeros(DIM + ACTIONS),
        input_scale=torch.ones(DIM + ACTIONS),
        latent_scale=torch.ones(DIM),
    )


def planner(cost: LatentCost, settings: CEMSettings) -> CEM:
    prior = Prior(torch.zeros(ACTIONS), torch.ones(ACTIONS))
    return CEM(cost, horizon=HORIZON, prior=prior, bounds=Box(-2, 2), settings=settings)


@torch.no_grad()
def calls(
    model: ResidualMLP, batches: int, goals: int, iterations: int, device: torch.device
) -> None:
    """The bare calls of the model: as many as the planner makes."""
    latents = torch.randn(batches, goals * SAMPLES, DIM, device=device)
    actions = torch.randn(batches, HORIZON, goals * SAMPLES, ACTIONS, device=device)
    for _ in range(iterations):
        for batch in range(batches):
            here = latents[batch]
            for step in range(HORIZON):
                here = model(here, actions[batch, step])


def speed_lines(found: dict[str, Any], clock: str) -> list[str]:
    """The table of the README, and what stands below it."""
    times = found[clock]
    on_cpu = found["device"] == "cpu"
    faster = times["bfloat16_calls" if on_cpu else "bfloat16_calls_one_batch"]
    ratios = {
        "calls": ("model calls alone, a goal at a time", "", ""),
        "calls_one_batch": ("model calls alone, all goals in one batch", "", ""),
        "planner": (
            "planner",
            f"{times['overhead']:+.1%} over the first, "
            f"{times['overhead_one_batch']:+.1%} over the second",
            "at most +10%" if on_cpu else "",
        ),
        "calls_bfloat16": (
            "model calls alone, bfloat16",
            f"{faster:.2f} times as fast",
            "3" if on_cpu else "",
        ),
        "planner_bfloat16": (
            "planner, bfloat16",
            f"{times['overhead_bfloat16']:+.1%} over its model calls",
            "at most +10%" if on_cpu else "",
        ),
        "serial": (
            "planner, goal after goal",
            f"{times['serial_over_together']:.2f} times as long as together",
            "" if on_cpu else "20",
        ),
    }
    where = f"{found['threads']} threads" if on_cpu else torch.cuda.get_device_name(found["device"])
    worse = found["energy_bfloat16"] / found["energy"] - 1
    equal = (
        f"equal to the bit: {found['same_to_the_bit']}"
        if on_cpu
        else f"apart by {found['energies_apart']:.3%} in energy at most (asked: {TOLERANCE:.0%}), "
        f"equal to the bit: {found['same_to_the_bit']}"
    )
    return [
        f"{found['goals']} goals, {found['iterations']} iterations, {where}\n",
        f"| | {'wall' if clock == 'wall' else 'processor'} time | ratio | asked |",
        "|---|---|---|---|",
        *(
            f"| {name} | {times['seconds'][side]:.1f} s | {ratio} | {asked} |".replace("  ", " ")
            for side, (name, ratio, asked) in ratios.items()
        ),
        f"\nThe planner in bfloat16 is {times['bfloat16_planner']:.2f} times as fast; "
        f"true energy of its plans: {worse:+.3%} (asked: no worse than 1%). "
        f"Plans together and goal after goal: {equal}.",
    ]


# Fewer model calls for the same plan


@dataclass(frozen=True, eq=False)
class Problem:
    """Goals, the model through which they are planned, and what is known of actions."""

    info: dict[str, Tensor]
    true: Tensor
    model: ResidualMLP
    prior: Prior
    box: Box
    guess: Tensor
    guess_std: Tensor
    guess_error: float


def frugal(options: argparse.Namespace) -> dict[str, Any]:
    """Energy and model calls of several ways to plan the same goals."""
    problem = load(options)
    cost = LatentCost(problem.model)
    fast = LatentCost(problem.model, search_model=problem.model.in_bfloat16())
    common: dict[str, Any] = {
        "horizon": HORIZON,
        "prior": problem.prior,
        "bounds": problem.box,
    }
    plain = CEMSettings(num_samples=SAMPLES, topk=30, n_steps=options.iterations)
    sparing = CEMSettings.frugal(n_steps=options.iterations)
    descent = GradientSettings(num_samples=4, n_steps=30, lr=0.3)
    start = problem.guess
    ways: dict[str, Callable[[], Plan]] = {
        "plain CEM": lambda: CEM(cost, settings=plain, **common).solve(problem.info),
        "plain CEM, searched in bfloat16": lambda: CEM(fast, settings=plain, **common).solve(
            problem.info
        ),
        "frugal CEM": lambda: CEM(cost, settings=sparing, **common).solve(problem.info),
        "frugal CEM, from the proposal": lambda: CEM(cost, settings=sparing, **common).solve(
            problem.info, start
        ),
        "frugal CEM, from the proposal with its spread": lambda: CEM(
            cost, settings=sparing, **common
        ).solve(problem.info, start, init_std=problem.guess_std),
        "MPPI": lambda: MPPI(cost, **common).solve(problem.info),
        "gradient descent": lambda: GradientDescent(cost, settings=descent, **common).solve(
            problem.info
        ),
    }
    rows, costs = {}, {}
    for name, way in ways.items():
        begun = time.perf_counter()
        plan = way()
        costs[name] = plan.costs.double().numpy()
        rows[name] = {
            "energy": float(costs[name].mean()),
            "above_plain": above(costs[name], costs["plain CEM"]),
            "calls": float(plan.calls.double().mean()),
            "seconds": time.perf_counter() - begun,
        }
    with torch.no_grad():
        energies = {
            "true actions": cost.get_exact_cost(
                expand_info(problem.info, 1), problem.true[:, None]
            ),
            "the proposal itself": cost.get_exact_cost(
                expand_info(problem.info, 1), start[:, None]
            ),
        }
    return {
        "threads": torch.get_num_threads(),
        "data": str(options.data or options.env),
        "search_dim": int(problem.true[0].numel()),
        "proposal": {"error": problem.guess_error, "std": problem.guess_std.mean().item()},
        "floors": {name: float(value.mean()) for name, value in energies.items()},
        "ways": rows,
    }


def above(costs: npt.NDArray[np.float64], plain: npt.NDArray[np.float64]) -> dict[str, float]:
    """By which share energies are above those of plain CEM, paired, with 95% over goals."""
    goals = np.arange(len(plain))
    found = bootstrap_reduction(costs, plain, goals, rng=np.random.default_rng(0))
    return {"value": 0.0 - found.value, "low": 0.0 - found.high, "high": 0.0 - found.low}


def load(options: argparse.Namespace) -> Problem:
    """Train on a world and choose goals: the ends of chains of its test transitions."""
    if options.data is not None:
        recipe = "lerobot_latent_dynamics"
        flags = {
            "world.repo_id": f"local/{options.data.name}",
            "world.root": str(options.data),
            "world.camera_key": "observation.images.cam_high",
            "world.action_key": "action",
            "world.delta_steps": 1,
            "world.n_train": 2600,
            "world.n_test": 700,
            "encoder": "pixels",
            "encoder.dim": DIM,
        }
    else:
        recipe = "gymnasium_latent_dynamics"
        flags = {
            "world.env_id": options.env,
            "world.observations": "vector",
            "world.delta_steps": 1,
            "world.repeat_action": 2,
            "world.max_steps": 100,
            "world.pairs_per_episode": "none",
            "world.n_train": 4000,
            "world.n_test": 1000,
            "encoder": "vector",
        }
    settings = {"hidden": options.hidden, "train_steps": options.train_steps, "seeds": "0"}
    registry = load_registry()
    config: Any = resolve(registry, recipe, flags={**flags, **settings}).config
    with TemporaryDirectory() as folder, LocalExecutor(LocalConfig(workers=1)) as executor:
        ctx = RunContext(
            out=Path(folder),
            cache=LatentCache(Path(folder) / "cache"),
            executor=executor,
            tracker=NoopTracker(NoopConfig()),
            registry=registry,
            progress=Progress(quiet=True),
        )
        inputs = load_inputs(config, ctx)
        latents = {
            label: ctx.latents(column, inputs.encoder) for label, column in inputs.columns().items()
        }
    mean, scale = latents["train/obs"].mean(axis=0), latents["train/obs"].std(axis=0) + 1e-6
    if options.data is None:
        # Positions and speeds have different units, which cosines would not forgive.
        latents = {label: (each - mean) / scale for label, each in latents.items()}
    train, test = (
        Samples(latents[f"{name}/obs"], split.action, latents[f"{name}/next_obs"], split.episode)
        for name, split in (("train", inputs.train), ("test", inputs.test))
    )
    trainer = Trainer(train, None, config, [repetition_streams(0, 0)], torch.device("cpu"))
    for _ in trainer.run():
        pass
    seen = Goals.along(train, chains(inputs.train, HORIZON))
    asked = chains(inputs.test, HORIZON)
    chosen = np.random.default_rng(0).choice(len(asked), options.goals, replace=False)
    goals = Goals.along(test, asked[np.sort(chosen)])
    proposal = RidgeProposal.fit(seen.latents, seen.goals, seen.actions, seen.episode)
    info = {"latent": torch.from_numpy(goals.latents), "goal": torch.from_numpy(goals.goals)}
    true, guess = torch.from_numpy(goals.actions), proposal(info["latent"], info["goal"])
    box = Box.of(train.actions)
    return Problem(
        info=info,
        true=true,
        model=ResidualMLP.of(trainer.predictors, "action", 0, keep_length=True),
        prior=Prior.of(train.actions),
        box=box,
        guess=box.clip(guess),
        guess_std=proposal.std,
        guess_error=(guess - true).square().mean(dim=0).sqrt().mean().item(),
    )


def frugal_lines(found: dict[str, Any]) -> list[str]:
    plain = found["ways"]["plain CEM"]
    lines = [
        f"{found['data']}, {found['search_dim']} numbers in a plan, {found['threads']} threads\n",
        f"The proposal's error on test goals, root mean square: {found['proposal']['error']:.4f}; "
        f"what it says itself: {found['proposal']['std']:.4f}\n",
        "| | energy | against plain CEM, 95% over goals | model calls of a goal "
        "| share of plain CEM's | time |",
        "|---|---|---|---|---|---|",
    ]
    lines += [f"| {name} | {value:.5f} | | | | |" for name, value in found["floors"].items()]
    lines += [
        f"| {name} | {way['energy']:.5f} | {share(way['above_plain'])} "
        f"| {way['calls']:,.0f} | {way['calls'] / plain['calls']:.1%} | {way['seconds']:.1f} s |"
        for name, way in found["ways"].items()
    ]
    return lines


def share(found: dict[str, float]) -> str:
    return f"{found['value']:+.2%} [{found['low']:+.2%}, {found['high']:+.2%}]"


if __name__ == "__main__":
    main()
