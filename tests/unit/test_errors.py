"""Errors: one class a code, the same codes on both sides of the boundary, the right exit codes."""

from __future__ import annotations

import errno

import pytest

from opensession import _core, errors
from opensession.errors import CODES, OpensessionError, from_core

EXIT_CODES = {
    "internal": 1,
    "usage": 2,
    "unknown_profile": 2,
    "ambiguous": 2,
    "bad_uri": 2,
    "bad_config": 2,
    "no_events": 3,
    "hail_syntax": 3,
    "hail_schema": 3,
    "hail_invalid": 3,
    "hail_version": 3,
    "hail_empty": 3,
    "line_too_long": 3,
    "input_changed": 3,
    "unreadable": 3,
    "not_found": 4,
    "input_missing": 4,
    "integrity": 5,
    "refused": 6,
    "secrets_found": 6,
    "remote_failed": 7,
    "storage_failed": 8,
    "write_failed": 8,
    "busy": 9,
    "losses": 10,
}


def test_every_code_of_the_core_has_a_class_of_its_own():
    assert {
        "no_events",
        "hail_syntax",
        "hail_schema",
        "hail_invalid",
        "hail_version",
        "hail_empty",
        "line_too_long",
        "input_changed",
        "unreadable",
        "write_failed",
        "unknown_profile",
        "internal",
    } == set(_core.ERROR_CODES)
    assert len(_core.ERROR_CODES) == len(set(_core.ERROR_CODES))
    classes = [CODES[code] for code in _core.ERROR_CODES]
    assert len(classes) == len(set(classes))


def test_codes_and_exit_codes_are_those_that_scripts_rely_on():
    assert {code: kind.exit_code for code, kind in CODES.items()} == EXIT_CODES


def test_every_class_below_the_base_is_a_code_or_a_group_of_codes():
    def below(kind: type[OpensessionError]) -> list[type[OpensessionError]]:
        return [kind, *(c for child in kind.__subclasses__() for c in below(child))]

    kinds = below(OpensessionError)[1:]
    own = [k for k in kinds if "code" in vars(k)]
    groups = [k for k in kinds if "code" not in vars(k)]
    assert sorted(k.code for k in own) == sorted(EXIT_CODES)
    assert {k.__name__ for k in groups} == {"InputError", "HailError"}


@pytest.mark.parametrize("code", sorted(EXIT_CODES))
def test_every_class_has_a_sensible_http_status(code):
    assert CODES[code].http_status in range(400, 600)


@pytest.mark.parametrize("code", sorted(_core.ERROR_CODES))
def test_from_core_makes_the_class_of_the_code_with_its_place(code):
    error = from_core(code, "what happened", 7, 9)

    assert type(error) is CODES[code]
    assert str(error) == "what happened"
    assert (error.line, error.column) == (7, 9)


def test_an_unknown_code_of_the_core_is_our_bug_and_keeps_the_text():
    error = from_core("brand_new", "what happened", 1, None)

    assert isinstance(error, errors.InternalError)
    assert "brand_new" in str(error)
    assert "what happened" in str(error)


def test_a_closed_pipe_is_the_built_in_error():
    assert type(from_core("write_failed", "cannot write", errno=errno.EPIPE)) is BrokenPipeError


def test_an_input_that_does_not_exist_is_not_found_rather_than_unreadable():
    error = from_core("unreadable", "cannot read", errno=errno.ENOENT)

    assert isinstance(error, errors.InputMissingError)
    assert error.exit_code == 4


def test_a_full_disk_keeps_its_number():
    error = from_core("write_failed", "cannot write", errno=errno.ENOSPC)

    assert isinstance(error, errors.WriteFailedError)
    assert error.errno == errno.ENOSPC


def test_as_dict_has_the_keys_of_the_json_answer():
    error = errors.HailSyntaxError("no JSON", line=3, column=5, next=["opensession verify x"])

    assert error.as_dict() == {
        "code": "hail_syntax",
        "message": "no JSON",
        "line": 3,
        "next": ["opensession verify x"],
    }


def test_the_hint_is_the_first_step():
    assert errors.UsageError("no").hint is None
    assert errors.UsageError("no", next=["a", "b"]).hint == "a"


def test_classes_are_also_the_honest_built_in():
    assert issubclass(errors.NotFoundError, LookupError)
    assert issubclass(errors.HailSyntaxError, ValueError)


def test_errors_survive_pickling():
    import pickle

    for kind in CODES.values():
        error = kind("what happened", next=["do this"])
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.next) == (kind, "what happened", ("do this",))
