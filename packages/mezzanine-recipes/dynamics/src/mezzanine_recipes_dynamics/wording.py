"""What a report says of the figures of this recipe."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mezzanine_core.presentation import Group, Picture, Presentation

MONTAGE = Picture(
    file="montage.png",
    title="What was seen, what happened, and what the predictors expect",
    caption="Each row is a test sample with an action, drawn at random and not chosen by result. "
    "Retrieved: the frame, among all outcomes of the test split, whose latent is nearest to the "
    "prediction. A coloured border: its latent equals that of what happened.",
    alt="Rows of four frames: the observation, what happened, and what the models with and without "
    "the action retrieve. The ranks are in the table of results.",
)
PLAYING = Picture(
    file="mpc.png",
    title="Plans played in the simulator",
    caption="Left: share of tasks that each player solved; bars are Wilson intervals, small marks "
    "single seeds. Right: the goals of the first tasks, and how they ended for the action model "
    "and at random, green where solved.",
    alt="Share of tasks solved by each player, and frames in which the first tasks ended. The "
    "shares are in the table of results as success.",
)

_QUESTIONS = {
    "retrieval_": (
        "Which action leads to the goal?",
        "The true action among others, ranked by where each way says that they lead.",
    ),
    "plan_": (
        "Are planned actions as good as the true ones, by the model's own account?",
        "Actions planned for goals of the test split.",
    ),
    "mpc_": (
        "Do plans work in the simulator?",
        "Tasks that were played, by plans of each model and without.",
    ),
}
_FIRST = (
    "Does the model use the action?",
    "Predictions of the next latent, each ranked among the outcomes of all test samples. "
    "Intervals are resampled by episode and over seeds.",
)

_METRICS = {
    "cosine": "Cosine between predicted and true next latent; from -1 to 1, higher is better.",
    "mean_rank": "Mean rank of what is right, from 1; lower is better, and a gain is positive.",
    "median_rank": "Median rank of what is right, from 1; lower is better, and a gain is positive.",
    "r@1": "Share of test samples where what is right is ranked first; higher is better.",
    "r@10": "Share of test samples where what is right is among the first ten; higher is better.",
    "mrr": "Mean of 1 / rank of what is right; from 0 to 1, higher is better.",
    "energy": "1 - cosine between predicted end and goal; from 0 to 2, lower is better.",
    "action_distance": "Distance to the true action, in its standard deviations; lower is better.",
    "success": "Share of tasks solved; from 0 to 1, higher is better.",
}
_MODELS = {
    "action": "The predictor that sees the latent and the action.",
    "no_action": "The same predictor without the action.",
    "shuffled": "The predictor with the action, given the action of another test sample.",
    "persistence": "No predictor: nothing changes.",
    "action_minus_no_action": "What knowing the action brings.",
    "action_minus_shuffled": "What the right action brings, against another one.",
    "action_minus_persistence": "What the model brings, against expecting no change.",
    "retrieval_action": "By the model with the action.",
    "retrieval_random": "In random order.",
    "retrieval_mean_action": "By the distance to the mean training action.",
    "retrieval_nearest": "By the nearest training transition.",
    "plan_planned": "Actions that the planner found.",
    "plan_rounded": "The same, rounded to actions that the world has.",
    "plan_true": "The actions that were really taken.",
    "plan_random": "Actions drawn at random.",
    "plan_stay": "No action.",
    "mpc_action": "Plans of the model with the action.",
    "mpc_no_action": "Plans of the model without the action.",
    "mpc_random": "Acts drawn at random.",
    "mpc_idle": "Doing nothing.",
    "mpc_oracle": "Acts that are known to solve the task: what could be reached.",
}


def presentation(
    models: Collection[str], deltas: Collection[str], pictures: Iterable[Picture]
) -> Presentation:
    """Groups, words and captions of a run.

    Args:
        models: Keys of its metrics.
        deltas: Keys of its comparisons.
        pictures: Pictures that it drew, in the order in which they are to be read.
    """
    leads = tuple(_QUESTIONS)
    groups = [
        Group(
            title=_FIRST[0],
            caption=_FIRST[1],
            models=tuple(name for name in models if not name.startswith(leads)),
            deltas=tuple(name for name in deltas if not name.startswith(leads)),
        )
    ]
    groups += [
        Group(
            title=title,
            caption=caption,
            models=tuple(name for name in models if name.startswith(lead)),
            deltas=tuple(name for name in deltas if name.startswith(lead)),
        )
        for lead, (title, caption) in _QUESTIONS.items()
        if any(name.startswith(lead) for name in models)
    ]
    known = {*models, *deltas, *_METRICS}
    words = {**_MODELS, **_METRICS}
    return Presentation(
        pictures=tuple(pictures),
        groups=tuple(groups),
        words={name: said for name, said in words.items() if name in known},
    )
