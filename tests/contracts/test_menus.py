"""What holds for every Choice on every Menu: a name, a sentence, fields that a form can show, and JSON there and back."""

import pytest

from core.compression.menu import AnyCompression
from core.data.augmentation import AnyAugmentation
from core.data.disturbance import AnyDisturbance
from core.data.menu import AnyDataset
from core.errors import SpecError
from core.explanation.menu import AnyExplainer
from core.jobs.shipping import AnyJob
from core.models.init import AnyBiasInit, AnyInit
from core.models.layers.menu import AnyLayer
from core.optim.losses import AnyLoss
from core.optim.optimizers import AnyOptimizer
from core.optim.regularizers import AnyRegularizer
from core.optim.schedules import AnySchedule
from core.optim.surfaces import AnySurface
from core.spec import choices, parse_json
from dashboard.components.fields import fields_of

FORMS = {
    "data": AnyDataset,
    "augmentations": AnyAugmentation,
    "disturbances": AnyDisturbance,
    "layers": AnyLayer,
    "inits": AnyInit,
    "bias-inits": AnyBiasInit,
    "optimizers": AnyOptimizer,
    "schedules": AnySchedule,
    "regularizers": AnyRegularizer,
    "surfaces": AnySurface,
    "losses": AnyLoss,
    "explainers": AnyExplainer,
    "compressions": AnyCompression,
}
MENUS = FORMS | {"jobs": AnyJob}
CASES = [pytest.param(menu, cls, id=f"{name}-{cls.kind_name()}") for name, menu in MENUS.items() for cls in choices(menu)]
SHOWN = [pytest.param(menu, cls, id=f"{name}-{cls.kind_name()}") for name, menu in FORMS.items() for cls in choices(menu)]


@pytest.mark.parametrize("menu", MENUS.values(), ids=MENUS)
def test_kinds_and_labels_are_unique(menu):
    kinds = [cls.kind_name() for cls in choices(menu)]
    assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize(("menu", "cls"), CASES)
def test_every_choice_has_a_label_and_says_what_it_is(menu, cls):
    assert cls.label
    assert cls.__doc__.strip().endswith((".", "?"))
    assert "__doc__" in vars(cls)


@pytest.mark.parametrize(("menu", "cls"), SHOWN)
def test_every_field_can_be_shown_and_explains_itself(menu, cls):
    for view in fields_of(cls):
        assert view.help, view.name
        assert view.clamp(view.default) == view.default
        if view.kind in ("int", "float"):
            assert view.min is not None
            assert view.max is not None
        if view.kind in ("choice", "flags", "menu"):
            assert len(view.choices or view.options) > 1


@pytest.mark.parametrize(("menu", "cls"), SHOWN)
def test_every_choice_that_a_form_offers_can_be_made_without_a_word(menu, cls):
    assert not cls.is_ready_made or cls()


@pytest.mark.parametrize(("menu", "cls"), [case for case in SHOWN if case.values[1].is_ready_made])
def test_every_choice_survives_json_and_refuses_strangers(menu, cls):
    choice = cls()
    assert parse_json(menu, choice.model_dump_json()) == choice
    with pytest.raises(SpecError, match="not known here"):
        parse_json(menu, choice.model_dump_json()[:-1] + ',"stranger":1}')


@pytest.mark.parametrize("menu", FORMS.values(), ids=FORMS)
def test_a_wrong_kind_gets_the_nearest_right_one(menu):
    kind = choices(menu)[0].kind_name()
    with pytest.raises(SpecError, match=kind):
        parse_json(menu, f'{{"kind":"{kind}x"}}')
