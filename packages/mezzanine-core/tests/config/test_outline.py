"""Which components a run has, and so which settings it takes."""

from mezzanine_core.config.outline import outline


def test_an_outline_is_drawn_as_far_as_components_are_known(registry):
    plan = outline(registry, "norms", flags={"world": "absent", "encoder": "tiny"})
    assert plan.unfilled == {"world"}
    assert set(plan.choices) == {"encoder"}
    assert [problem.message for problem in plan.problems] == ["--world: there is no world 'absent'"]
    assert plan.index.knows("dim")
    assert plan.index.knows("world")
    assert not plan.index.knows("games")


def test_a_slot_has_the_component_that_was_named_last(registry):
    plan = outline(
        registry, "full_norms", environ={"MEZZ_ENCODER": "tiny"}, flags={"encoder": "plain"}
    )
    kinds = [layer.kind for layer in plan.layers]
    assert kinds == ["preset", "environment", "flag"]
    assert [plan.named_by(place, "encoder") for place in range(3)] == ["plain", "tiny", "plain"]
    assert [plan.named_by(place, "world") for place in range(3)] == ["blobs"] * 3


def test_the_layer_that_implies_a_component_counts_as_having_named_it(registry):
    plan = outline(registry, "full_norms", flags={"embed_layer": "1"})
    assert [plan.named_by(place, "encoder") for place in range(3)] == ["plain", "plain", "deep"]


def test_the_model_is_still_that_of_the_recipe(registry):
    plan = outline(registry, "blob_norms")
    assert plan.model.__name__ == "NormsConfig"
    schema = plan.model.model_json_schema()
    assert schema["properties"]["world"]["$ref"] == "#/$defs/BlobsConfig"
