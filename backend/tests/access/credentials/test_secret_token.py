"""The form of keys and sessions' tokens, and what is stored of them."""

from understudy.access.accounts.sign_in import NewSession
from understudy.access.credentials.credential import Credential
from understudy.access.credentials.secret_token import find_prefix, hash_token, is_same, make_key, make_session_token


def test_a_key_begins_with_its_prefix_and_has_256_random_bits() -> None:
    made = [make_key() for _ in range(50)]
    for prefix, key in made:
        assert find_prefix(key) == prefix
        assert len(key.removeprefix(f"{prefix}_")) == 43
    assert len({key for _, key in made}) == len({prefix for prefix, _ in made}) == 50


def test_what_is_no_key_has_no_prefix() -> None:
    _, key = make_key()
    for token in ("", "usk_", key[:-1], key + "A", key.replace("usk_", "usx_"), "a.b.c", key.upper(), key + "\n"):
        assert find_prefix(token) is None


def test_the_hash_is_sha256_and_compares_as_a_whole() -> None:
    assert hash_token("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert is_same(hash_token("abc"), hash_token("abc"))
    assert not is_same(hash_token("abc"), "")


def test_no_secret_is_in_a_representation() -> None:
    token = make_session_token()
    assert token not in repr(Credential(token)) + repr(NewSession(token, 1))
