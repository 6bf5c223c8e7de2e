"""Augmentation against torchvision.transforms.v2, image by image, and its random numbers against their promises."""

import time

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from core.data.augment import Augmenter, augmented_examples
from core.data.augmentation import (
    Affine,
    AnyAugmentation,
    ColorJitter,
    Cutout,
    HorizontalFlip,
    MixUp,
    RandomCrop,
    Rotation,
    VerticalFlip,
)
from core.data.dataset import DataProfile
from core.data.image_changes import CHANGES
from core.data.rendered import Digits
from core.data.toy import Circle
from core.errors import NotApplicable
from core.spec import choices

B = 24
GENERATOR = torch.Generator().manual_seed(0)
GREY = torch.randint(0, 256, (B, 1, 12, 9), generator=GENERATOR, dtype=torch.uint8)
COLOUR = torch.randint(0, 256, (B, 3, 10, 14), generator=GENERATOR, dtype=torch.uint8)
COLOUR[0] = COLOUR[0, :1]  # a grey picture, which has no hue
COLOUR[1] = 0
IMAGES = pytest.mark.parametrize("x", [GREY, COLOUR], ids=["grey", "colour"])
EVERY = choices(AnyAugmentation)
CHANGING = [cls for cls in EVERY if cls is not MixUp]
STRONG = (
    HorizontalFlip(),
    VerticalFlip(),
    RandomCrop(padding=3),
    Rotation(degrees=40),
    Affine(),
    ColorJitter(hue=0.2),
    Cutout(),
)


def augmenter(*augmentations, shape=(1, 12, 9), n_classes=5):
    return Augmenter(augmentations, DataProfile("image", shape, tuple("abcdefgh"[:n_classes]), 1, 1, 1))


def changed(change, x, uniform):
    """The change with these numbers (m, B) in the place of random ones; rounded as v2 rounds."""
    return CHANGES[type(change)](change, x.float(), lambda m: uniform[:m, :, None, None, None], 255.0)


def uniforms(m):
    return torch.rand(m, B, generator=GENERATOR)


def assert_near(ours, theirs, levels=1.0):
    theirs = torch.stack(theirs).float()
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= levels


@IMAGES
@pytest.mark.parametrize(
    ("change", "flip"), [(HorizontalFlip(), functional.horizontal_flip), (VerticalFlip(), functional.vertical_flip)]
)
def test_a_flip_turns_just_the_images_whose_number_is_below_the_chance(x, change, flip):
    uniform = uniforms(1)
    ours = changed(change, x, uniform)
    assert_near(ours, [flip(image) if u < 0.5 else image for image, u in zip(x, uniform[0], strict=True)], 0)


@IMAGES
def test_a_crop_is_a_window_of_the_padded_image(x):
    uniform = uniforms(2)
    ours = changed(RandomCrop(padding=3), x, uniform)
    starts = (uniform * 7).long().T.tolist()
    height, width = x.shape[2:]
    assert_near(
        ours, [functional.crop(functional.pad(i, [3]), *start, height, width) for i, start in zip(x, starts, strict=True)], 0
    )


@IMAGES
def test_a_rotation_is_torchvisions_rotation(x):
    uniform = uniforms(1)
    ours = changed(Rotation(degrees=70), x, uniform)
    angles = ((2 * uniform[0] - 1) * 70).tolist()
    mode = InterpolationMode.BILINEAR
    assert_near(ours, [functional.rotate(i, angle, interpolation=mode) for i, angle in zip(x, angles, strict=True)], 0.6)


@IMAGES
def test_moving_scaling_and_slanting_are_torchvisions(x):
    uniform = uniforms(4)
    ours = changed(Affine(translate=0.3, scale=0.4, shear=30), x, uniform)
    height, width = x.shape[2:]
    theirs = []
    for image, (right, down, scale, shear) in zip(x, (2 * uniform - 1).T.tolist(), strict=True):
        theirs.append(
            functional.affine_image(
                image.double(),
                angle=0.0,
                translate=[0.3 * right * width, 0.3 * down * height],
                scale=1 + 0.4 * scale,
                shear=[30.0 * shear, 0.0],
                interpolation=InterpolationMode.BILINEAR,
            )
        )
    assert_near(ours, theirs, 0.1)


@IMAGES
@pytest.mark.parametrize("only", ["brightness", "contrast", "saturation", "hue"])
def test_each_part_of_the_colour_jitter_is_torchvisions(x, only):
    uniform = uniforms(4)
    off = dict.fromkeys(("brightness", "contrast", "saturation", "hue"), 0.0)
    ours = changed(ColorJitter(**(off | {only: 0.4})), x, uniform)
    row = ("brightness", "contrast", "saturation", "hue").index(only)
    factors = ((2 * uniform[row] - 1) * 0.4 + (only != "hue")).tolist()
    adjust = getattr(functional, f"adjust_{only}")
    assert_near(ours, [adjust(image, factor) for image, factor in zip(x, factors, strict=True)], 2)
    assert x.shape[1] == 3 or only in ("brightness", "contrast") or torch.equal(ours, x.float())


def test_a_cutout_is_a_square_of_zeros_that_may_reach_over_the_edge():
    uniform = torch.tensor([[0.5, 0.0, 0.99, 0.5], [0.5, 0.0, 0.99, 0.5], [0.0, 0.0, 0.0, 0.9]])
    x = torch.ones(4, 1, 10, 20)
    ours = changed(Cutout(share=0.18, p=0.5), x, uniform)
    zeros = (ours[:, 0] == 0).nonzero().tolist()
    places = [[(r, c) for i, r, c in zeros if i == image] for image in range(4)]
    assert places[0] == [(r, c) for r in range(2, 8) for c in range(7, 13)]  # 6 x 6 of 200 pixels
    assert places[1] == [(r, c) for r in range(3) for c in range(3)]
    assert places[2] == [(r, c) for r in range(6, 10) for c in range(16, 20)]
    assert places[3] == []


@pytest.mark.parametrize("cls", CHANGING)
@IMAGES
def test_a_change_keeps_shape_and_type_and_does_something(cls, x):
    ours = augmenter(cls()).pictures(x, 1)
    assert (ours.shape, ours.dtype) == (x.shape, torch.uint8)
    assert not torch.equal(ours, x)


def test_every_augmentation_on_the_menu_is_carried_out():
    assert {*CHANGES, MixUp} == set(EVERY)


def test_the_seed_alone_decides_and_torchs_own_random_numbers_stay():
    state = torch.get_rng_state()
    ours = augmenter(*STRONG, shape=(3, 10, 14))
    first = ours.pictures(COLOUR, 5)
    torch.rand(3)
    again = augmenter(*STRONG, shape=(3, 10, 14)).pictures(COLOUR, 5)
    assert torch.equal(first, again)
    assert not torch.equal(first, ours.pictures(COLOUR, 6))
    torch.set_rng_state(state)
    x, y = COLOUR.float(), torch.arange(B) % 5
    mixed = augmenter(MixUp()).mixed(x, y, 5)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(map(torch.equal, mixed, augmenter(MixUp()).mixed(x, y, 5)))
    assert not torch.equal(mixed[0], augmenter(MixUp()).mixed(x, y, 6)[0])


@pytest.mark.parametrize("change", STRONG, ids=lambda change: change.kind)
def test_equal_images_of_a_batch_are_changed_each_in_its_own_way(change):
    x = COLOUR[2:3].expand(64, -1, -1, -1).contiguous()
    different = {picture.numpy().tobytes() for picture in augmenter(change).pictures(x, 0)}
    assert len(different) == 2 if "flip" in change.kind else len(different) > 20


def test_the_input_batch_is_never_changed_in_place():
    before = COLOUR.clone()
    augmenter(*STRONG).pictures(COLOUR, 0)
    assert torch.equal(before, COLOUR)


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_the_share_of_flipped_images_is_the_chance(p):
    x = torch.tensor([0, 255], dtype=torch.uint8).reshape(1, 1, 1, 2).expand(20_000, -1, -1, -1)
    share = (augmenter(HorizontalFlip(p=p)).pictures(x, 3)[:, 0, 0, 0] == 255).float().mean().item()
    assert share == pytest.approx(p, abs=0.015 if 0 < p < 1 else 0)


def test_angles_fill_their_range_evenly():
    # A long bright bar from the middle to the right: its centre of mass says how far it was turned.
    bar = torch.zeros(1, 1, 41, 41, dtype=torch.uint8)
    bar[..., 20, 20:] = 255
    turned = augmenter(Rotation(degrees=30)).pictures(bar.expand(1500, -1, -1, -1), 0)[:, 0].double()
    at = torch.arange(41) - 20.0
    angles = torch.rad2deg(torch.atan2((turned * at[:, None]).sum((1, 2)), (turned * at).sum((1, 2)))).numpy()
    assert np.abs(angles).max() < 31
    assert kstest(angles, "uniform", (-30, 60)).pvalue > 0.001


def test_a_crop_reaches_every_offset_equally_often():
    dot = torch.zeros(1, 1, 9, 9, dtype=torch.uint8)
    dot[..., 4, 4] = 1
    places = augmenter(RandomCrop(padding=1)).pictures(dot.expand(9000, -1, -1, -1), 0)[:, 0].sum(0)
    assert places.sum() == 9000
    assert (places[3:6, 3:6] - 1000).abs().max() < 150


def test_colours_never_leave_the_range_of_the_data():
    x = torch.randint(0, 17, (50, 1, 8, 8), dtype=torch.uint8)
    profile = DataProfile("image", (1, 8, 8), ("a", "b"), 1, 1, 1)
    ours = Augmenter((ColorJitter(brightness=0.9, contrast=0.9),), profile, brightest=16).pictures(x, 0)
    assert ours.max() == 16


def test_mixup_blends_each_image_with_another_and_its_target_likewise():
    x = torch.eye(B).reshape(B, 1, 1, B)  # image i is 1 at place i alone
    y = torch.arange(B) % 3
    mixed, target = augmenter(MixUp(alpha=1.0), n_classes=3).mixed(x, y, 0)
    shares = mixed[:, 0, 0]  # (B, B): how much of each image there is
    torch.testing.assert_close(shares.sum(1), torch.ones(B))
    torch.testing.assert_close(target, shares @ torch.nn.functional.one_hot(y, 3).float())
    assert (shares > 0).sum(1).max() == 2
    assert len(set(shares.diagonal().tolist())) > B / 2
    assert target.dtype == torch.float32


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixup_shares_follow_their_beta_distribution(alpha):
    n = 4000
    x = torch.ones(n, 1, 1, 1)
    _, target = augmenter(MixUp(alpha=alpha), n_classes=2).mixed(x, torch.zeros(n, dtype=torch.long), 0)
    torch.testing.assert_close(target[:, 0], torch.ones(n))
    y = torch.arange(n) % 2
    _, target = augmenter(MixUp(alpha=alpha), n_classes=2).mixed(x, y, 0)
    own = target[torch.arange(n), y]
    own = own[own < 1].numpy()  # blended with the other class
    assert kstest(own, "beta", (alpha, alpha)).pvalue > 0.001


def test_without_mixup_targets_stay_and_two_of_them_blend_up_to_four():
    x, y = COLOUR.float(), torch.arange(B) % 5
    assert augmenter(Rotation()).mixed(x, y, 0) == (x, y)
    assert (augmenter(Rotation()).is_mixing, augmenter(MixUp()).is_mixing) == (False, True)
    assert augmenter(MixUp()).pictures(COLOUR, 0) is COLOUR
    _, target = augmenter(MixUp(alpha=1.0), MixUp(alpha=1.0)).mixed(x, y, 0)
    torch.testing.assert_close(target.sum(1), torch.ones(B))
    assert (target > 0).sum(1).max() > 2


def test_what_is_no_image_is_refused_in_words():
    with pytest.raises(NotApplicable, match="Rotation changes images, and these data are points data"):
        Augmenter((Rotation(),), Circle().profile())
    Augmenter((), Circle().profile())


def test_a_batch_of_digits_is_turned_and_cropped_in_little_time():
    x = torch.randint(0, 256, (32, 1, 28, 28), dtype=torch.uint8)
    ours = augmenter(Rotation(), RandomCrop())
    ours.pictures(x, 0)
    times = []
    for seed in range(10):
        start = time.process_time()
        ours.pictures(x, seed)
        times.append(time.process_time() - start)
    assert min(times) < 0.015


def test_the_preview_shows_the_training_images_and_what_becomes_of_them():
    shown = augmented_examples(Digits(), (Rotation(degrees=90),), seed=0, n=3, k=4)
    train = Digits().original(0).train
    np.testing.assert_array_equal(shown.before, np.rint(train.x[:3, 0] * (255 / 16)).astype(np.uint8))
    assert (shown.after.shape, shown.after.dtype) == ((3, 4, 8, 8), np.uint8)
    assert shown.names == tuple(str(label) for label in train.y[:3])
    assert shown.after_names == tuple((name,) * 4 for name in shown.names)
    assert len({picture.tobytes() for picture in shown.after[0]}) == 4


def test_the_preview_names_the_parts_of_a_blend():
    shown = augmented_examples(Digits(), (MixUp(alpha=2.0),), seed=0, n=6, k=3)
    names = [name for draws in shown.after_names for name in draws]
    parts = next(name.split(", ") for name in names if ", " in name)
    assert sum(float(part.split("%")[0]) for part in parts) == pytest.approx(100, abs=1)
    shares = [float(part.split("%")[0]) for part in parts]
    assert shares == sorted(shares, reverse=True)


def test_a_preview_of_points_is_refused():
    with pytest.raises(NotApplicable):
        augmented_examples(Circle(), (Rotation(),), seed=0, n=3, k=2)
