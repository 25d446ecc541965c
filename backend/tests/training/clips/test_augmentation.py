import numpy as np

from understudy.training.clips.augmentation import augment

_FLOOR = np.log(1e-3)


def test_augmented_patches_stay_patches() -> None:
    patches = np.random.default_rng(1).uniform(-6.5, 2, (32, 96, 64)).astype(np.float32)
    kept = patches.copy()
    out, partners, shares = augment(patches, np.random.default_rng(2))
    assert out.shape == patches.shape
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert out.min() >= _FLOOR - 1e-5
    assert sorted(partners) == list(range(32))
    assert shares.min() >= 0.5
    assert shares.max() == 1
    np.testing.assert_array_equal(patches, kept, err_msg="the material itself must not change")


def test_silence_stays_below_what_counts_as_sound_but_for_added_noise() -> None:
    silence = np.full((64, 96, 64), _FLOOR, dtype=np.float32)
    out, _, _ = augment(silence, np.random.default_rng(3))
    untouched = [patch for patch in out if np.allclose(patch, _FLOOR, atol=1e-4)]
    assert 20 < len(untouched) < 60


def test_the_generator_decides_everything() -> None:
    patches = np.random.default_rng(1).uniform(-6.5, 2, (8, 96, 64)).astype(np.float32)
    first, again = (augment(patches, np.random.default_rng(5))[0] for _ in range(2))
    np.testing.assert_array_equal(first, again)
