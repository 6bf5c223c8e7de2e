"""The embedding job: places of all moments in one basis, what the model says of each example, and clear refusals."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from core.data.gallery import gallery
from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import BreastCancer, Diabetes
from core.errors import SpecError, TooExpensive
from core.events import Artifact, Failed, Progressed
from core.experiment.experiment import Budget
from core.inspection import neighbour_maps
from core.inspection.embedding_examples import small
from core.jobs import embedding_lenses
from core.jobs.embedding_lenses import EmbeddingJob, last_hidden
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.job import ArtifactRef
from core.jobs.projections import AnyProjection, Pca, TSne, Umap
from core.jobs.training import TrainJob
from core.models.model import build, infer
from core.models.output import class_probabilities
from core.optim.losses import MeanAbsoluteError
from core.results.codec import load_result
from core.results.embedding import Embedding
from core.settings import Settings
from core.spec import choices
from core.training.checkpoints import load_weights
from tests.core.samples import linear, spiral, stack

BRIEF = Budget(epochs=None, steps=20)
PLANE = spiral(steps=20)
TABLE = spiral(data=BreastCancer(), model=stack(linear(6), "ReLU", linear(2)), budget=BRIEF)
NUMBERS = spiral(data=Diabetes(), model=stack(linear(6), "Tanh", linear(1)), loss=MeanAbsoluteError(), budget=BRIEF)
IMAGES = spiral(data=Digits(), model=stack(("Conv2d", {"out_channels": 2}), "Flatten", linear(10)), batch_size=64, budget=BRIEF)
GRU = ("GRU", {"hidden_size": 4, "returns": "sequence"})
READER = stack(("Embedding", {"num_embeddings": 128}), GRU, ("PoolTime", {}), linear(2))
SENTENCES = spiral(data=Sentiment(n_examples=200), model=READER, budget=BRIEF)
ALL = {"points": PLANE, "table": TABLE, "numbers": NUMBERS, "images": IMAGES, "sentences": SENTENCES}


@pytest.fixture
def shelf():
    return MemoryShelf()


def trained(shelf, experiment, steps=(0, 5, 20)) -> tuple[ArtifactRef, ...]:
    """The last checkpoints of runs of so many steps; the same weights as those of one run at these moments."""
    refs = []
    for n in steps:
        run = f"run{n}"
        list(
            run_inline(
                TrainJob(experiment=experiment.but(budget=Budget(epochs=None, steps=n or 1))), Settings(), shelf=shelf, run=run
            )
        )
        found = shelf.references(run)
        refs.append(found[0] if n == 0 else found[-1])
    return tuple(refs)


def ended(job, shelf, home):
    return list(run_inline(job, Settings(home=home), shelf=shelf, run="lens"))


def looked(job, shelf, home) -> Embedding:
    items = ended(job, shelf, home)
    saved = [item.data for item in items if isinstance(item, Artifact)]
    assert saved, items[-1]
    return load_result(Embedding, saved[0])


def hooked(experiment, shelf, ref, layer, values):
    """Outputs of a layer and of the stack, by a plain hook."""
    model = build(experiment.model, experiment.data.profile().input_shape, experiment.seed)
    state, _ = load_weights(shelf.read(ref.run, ref.name, ref.sha256))
    model.load_state_dict(state)
    seen = []
    model.eval()[layer].register_forward_hook(lambda module, given, output: seen.append(output))
    with torch.no_grad():
        out = model(torch.from_numpy(values))
        return seen[0].flatten(1).numpy(), class_probabilities(model, out.double()).numpy()


def test_places_are_the_pca_of_hooked_activations_of_all_moments_together(shelf, home):
    refs = trained(shelf, TABLE)
    found = looked(EmbeddingJob(experiment=TABLE, checkpoints=refs, n=60), shelf, home)
    shown = gallery(TABLE.data, TABLE.seed, "validation", 60)
    features = [hooked(TABLE, shelf, ref, 1, shown.values)[0] for ref in refs]
    around = [(points - points.mean(0)).astype(np.float64) for points in features]
    wanted = PCA(2, svd_solver="full").fit(np.concatenate(around))
    assert found.steps.tolist() == [0, 5, 20]
    assert found.layer_name == "2 ReLU"
    for points, places, trust in zip(features, found.positions, found.trustworthiness, strict=True):
        theirs = wanted.transform(points - points.mean(0))
        np.testing.assert_allclose(places * np.sign((places * theirs).sum(0)), theirs, atol=1e-4)
        assert trust == pytest.approx(trustworthiness(points, places, n_neighbors=found.n_neighbors))
    np.testing.assert_allclose(found.explained, wanted.explained_variance_ratio_, rtol=1e-4)


def test_classes_predictions_and_confidence_are_those_of_the_model_at_each_moment(shelf, home):
    refs = trained(shelf, IMAGES)
    found = looked(EmbeddingJob(experiment=IMAGES, checkpoints=refs, n=50, layer=0), shelf, home)
    shown = gallery(IMAGES.data, IMAGES.seed, "validation", 50)
    np.testing.assert_array_equal(found.labels, shown.labels)
    np.testing.assert_array_equal(found.indices, shown.indices)
    np.testing.assert_array_equal(found.pixels, shown.pixels)
    for moment, ref in enumerate(refs):
        _, probabilities = hooked(IMAGES, shelf, ref, 0, shown.values)
        np.testing.assert_array_equal(found.predictions[moment], probabilities.argmax(1))
        np.testing.assert_allclose(found.confidence[moment], probabilities.max(1), atol=1e-5)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dimensions", [2, 3])
def test_all_kinds_of_data_are_drawn_also_without_a_run(name, dimensions, shelf, home):
    experiment = ALL[name]
    found = looked(EmbeddingJob(experiment=experiment, n=24, layer=0, dimensions=dimensions), shelf, home)
    assert found.positions.shape == (1, 24, dimensions)
    assert found.steps.tolist() == [0]
    assert np.isfinite(found.positions).all()
    assert len(found.texts) == (0 if name == "images" else 24)
    assert (found.pixels is not None) == (name == "images")
    assert (found.confidence is None) == (name == "numbers")


def test_predicted_numbers_are_in_the_unit_of_the_target(shelf, home):
    found = looked(EmbeddingJob(experiment=NUMBERS, checkpoints=trained(shelf, NUMBERS), n=60), shelf, home)
    shown = gallery(NUMBERS.data, NUMBERS.seed, "validation", 60)
    np.testing.assert_array_equal(found.targets, shown.targets)
    assert 20 < found.predictions[-1].mean() < 350  # disease progression: 25 to 346
    assert found.class_names == ()


def test_tsne_of_all_moments_is_aligned_to_the_one_before_and_equal_for_equal_seeds(shelf, home):
    refs = trained(shelf, TABLE)
    job = EmbeddingJob(experiment=TABLE, checkpoints=refs, n=40, projection=TSne(perplexity=5))
    first, second = looked(job, shelf, home), looked(job.but(n=40), shelf, home)
    np.testing.assert_array_equal(first.positions, second.positions)
    np.testing.assert_allclose(np.sqrt((first.positions**2).sum(2).mean(1)), 1, rtol=1e-4)
    assert (first.trustworthiness > 0.8).all()
    moved = np.linalg.norm(np.diff(first.positions, axis=0), axis=2).mean(1)
    assert (moved < 0.8).all()  # two unrelated pictures of size 1 are about 1.3 apart


def test_a_layer_that_is_dead_at_one_moment_is_drawn_as_a_point_then(shelf, home, monkeypatch):
    refs = trained(shelf, TABLE)
    look = EmbeddingJob._look

    def dead_at_first(job, desk, ref, *rest):
        seen = look(job, desk, ref, *rest)
        return (
            seen if ref is not refs[0] else embedding_lenses.Seen(seen.step, seen.features * 0, seen.predicted, seen.confidence)
        )

    monkeypatch.setattr(EmbeddingJob, "_look", dead_at_first)
    for projection in (Pca(), TSne(perplexity=5)):
        found = looked(EmbeddingJob(experiment=TABLE, checkpoints=refs, n=40, projection=projection), shelf, home)
        assert np.isnan(found.trustworthiness[0])
        assert not np.ptp(found.positions[0], axis=0).any()
        assert (found.trustworthiness[1:] > 0.5).all()


def test_moments_that_are_gone_are_left_out_and_it_says_so(shelf, home):
    refs = trained(shelf, PLANE)
    gone = ArtifactRef(run="nowhere", name="x", sha256="0" * 64)
    found = looked(EmbeddingJob(experiment=PLANE, checkpoints=(gone, *refs), n=24), shelf, home)
    assert found.steps.tolist() == [0, 5, 20]
    assert "1 of 4 moments" in found.notes[0]
    events = ended(EmbeddingJob(experiment=PLANE, checkpoints=(gone,), n=24), shelf, home)
    assert isinstance(events[-1].event, Failed)


def test_moments_that_do_not_fit_into_memory_are_thinned_and_it_says_so(shelf, home, monkeypatch):
    refs = trained(shelf, PLANE)
    monkeypatch.setattr(embedding_lenses, "MAX_NUMBERS", 24 * 8 * 2)
    found = looked(EmbeddingJob(experiment=PLANE, checkpoints=refs, n=24, layer=0), shelf, home)
    assert found.steps.tolist() == [0, 20]
    assert "Only 2 of 3 moments" in found.notes[0]


def test_progress_goes_up_to_its_end(shelf, home):
    refs = trained(shelf, PLANE)
    job = EmbeddingJob(experiment=PLANE, checkpoints=refs, n=24, projection=TSne(perplexity=5))
    told = [
        item.event for item in ended(job, shelf, home) if not isinstance(item, Artifact) and isinstance(item.event, Progressed)
    ]
    assert told[-1].done == told[-1].total
    assert [one.done for one in told[1:]] == sorted(one.done for one in told[1:])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"layer": 3}, "There is no layer 4"),
        ({"projection": TSne(perplexity=10)}, "at most 9 is possible"),
        ({"projection": Umap(n_neighbors=30)}, "at most 29 neighbours"),
        ({"n": 100, "projection": TSne(perplexity=20)}, "for 50 examples; at most 16 is possible"),  # there are no more
    ],
)
def test_what_cannot_be_is_refused_in_words_before_anything_runs(changes, words):
    job = EmbeddingJob(experiment=PLANE, n=30).but(**changes)
    with pytest.raises(SpecError, match=words):
        job.check(Settings())


def test_a_layer_with_too_many_numbers_is_refused_with_both_numbers(monkeypatch):
    monkeypatch.setattr(embedding_lenses, "MAX_NUMBERS", 100)
    with pytest.raises(TooExpensive, match="for 24 examples 192; the limit is 100"):
        EmbeddingJob(experiment=PLANE, n=24, layer=0).check(Settings())


@pytest.mark.parametrize(
    ("model", "shape", "place"),
    [
        (stack(linear(8), "Tanh", linear(2)), (2,), 1),
        (stack(linear(8), "Tanh", linear(2), "Softmax"), (2,), 1),
        (stack(linear(2)), (2,), 0),
        (stack(("Conv2d", {"out_channels": 2}), "Flatten", "ReLU", ("Dropout", {}), linear(10)), (1, 8, 8), 3),
        (stack("Flatten", "Tanh"), (1, 8, 8), 1),
    ],
)
def test_the_last_hidden_layer_is_what_the_last_weights_receive(model, shape, place):
    assert last_hidden(infer(model, shape)) == place


@pytest.mark.parametrize("cls", choices(AnyProjection), ids=lambda cls: cls.kind_name())
def test_every_map_says_when_there_are_too_few_examples(cls):
    assert "at least 8" in cls().problem(7)
    assert cls().problem(500) == ""
    assert "kind" not in cls().settings()


def test_umap_goes_through_its_own_process(shelf, home, monkeypatch):
    asked = []

    def places(features, start, ask, folder, tell):
        asked.append((ask, folder))
        return np.repeat(start[None], len(features), axis=0)

    monkeypatch.setattr(neighbour_maps, "neighbour_maps", places)
    looked(EmbeddingJob(experiment=PLANE, n=24, projection=Umap(n_neighbors=5)), shelf, home)
    assert asked == [({"method": "umap", "seed": 0, "settings": {"n_neighbors": 5, "min_dist": 0.1}}, home / "compiled")]


def test_large_pictures_are_made_small_by_means():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 64, 96, 3), dtype=np.uint8)
    found = small(pixels)
    assert found.shape == (3, 21, 32, 3)
    assert found[1, 2, 3, 1] == round(pixels[1, 6:9, 9:12, 1].mean())
    assert small(pixels[:, :20, :20]).shape == (3, 20, 20, 3)
    assert small(np.zeros((2000, 40, 40), np.uint8)).nbytes <= 1_500_000
