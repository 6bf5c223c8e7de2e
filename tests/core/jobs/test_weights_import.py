"""A visitor's weights: compared with the stack, or with its Backbone, before they are offered."""

import io
from types import SimpleNamespace

import pytest
import torch
from torchvision import models

from core.data.own.keep import store_upload
from core.errors import SpecError
from core.jobs.data_lenses import WeightsImportJob
from core.models.layers.backbone import Backbone
from core.models.layers.linear import Linear
from core.models.model import ModelSpec, build, with_backbone_weights
from core.settings import Settings

MODEL = ModelSpec(layers=(Backbone(name="mobilenet_v3_small"), Linear(out_features=2)))
SHAPE = (3, 64, 64)


def job(tensors: dict[str, torch.Tensor], **changes: object) -> tuple[WeightsImportJob, SimpleNamespace]:
    settings, packed = Settings.from_environment(), io.BytesIO()
    torch.save(tensors, packed)
    file = store_upload(packed.getvalue(), "weights.pt", settings)
    asked = {"model": MODEL, "input_shape": SHAPE, "is_backbone": True} | changes
    return WeightsImportJob(file=file, name="weights.pt", **asked), SimpleNamespace(settings=settings)


def test_a_state_dict_of_torchvision_starts_the_backbone(home):
    net = models.mobilenet_v3_small(weights=None)
    asked, desk = job(net.state_dict())
    built = build(with_backbone_weights(MODEL, asked.result(desk).digest), SHAPE, seed=0)
    assert torch.equal(built.state_dict()["0.body.features.0.0.weight"], net.features[0][0].weight)


def test_another_networks_weights_are_refused_by_name(home):
    asked, desk = job(models.mobilenet_v3_small(weights=None).state_dict(), is_backbone=False)
    with pytest.raises(SpecError, match="of another model"):
        asked.result(desk)
    asked, desk = job({"conv1.weight": torch.zeros(2)})
    with pytest.raises(SpecError, match="which the backbone needs"):
        asked.result(desk)


def test_weights_of_the_very_stack_are_taken(home):
    stack = ModelSpec(layers=(Linear(out_features=3),))
    asked, desk = job(build(stack, (4,), seed=5).state_dict(), model=stack, input_shape=(4,), is_backbone=False)
    digest = asked.result(desk).digest
    wanted, got = build(stack, (4,), seed=5), build(stack.but(weights=digest), (4,), seed=0)
    assert torch.equal(got[0].weight, wanted[0].weight)
