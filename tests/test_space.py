"""Configurations are keys, digits and indices at once, in any space."""

import numpy as np
import pytest

from t2s_offline.errors import BadInput, UnknownName
from t2s_offline.space import TASK2SIM, SimParam, SimSpace

MIXED = SimSpace((SimParam("a", 3), SimParam("b", 2), SimParam("c", 4)))


def test_the_papers_space_is_binary_numbers() -> None:
    assert len(TASK2SIM) == 256
    assert TASK2SIM.index("01100100") == 0b01100100
    assert list(TASK2SIM) == [format(index, "08b") for index in range(256)]
    assert (TASK2SIM.all_off, TASK2SIM.domain_randomization) == ("00000000", "11111111")


@pytest.mark.parametrize("space", [TASK2SIM, MIXED])
def test_index_digits_and_text_agree(space: SimSpace) -> None:
    assert len(set(space)) == len(space)
    for index, configuration in enumerate(space):
        assert space.index(configuration) == index
        assert space.digits(configuration) == tuple(space.digits_CP[index])
        assert space.configuration(space.digits(configuration)) == configuration
    assert np.array_equal(space.digits_CP @ space.stride_P, np.arange(len(space)))


def test_a_space_is_written_and_read() -> None:
    assert SimSpace.parse(str(MIXED)) == MIXED
    assert SimSpace.parse("a,b") == SimSpace((SimParam("a"), SimParam("b")))


@pytest.mark.parametrize("configuration", ["", "0", "013x", "312", "023 ", "０１１"])
def test_what_is_not_a_configuration_is_refused(configuration: str) -> None:
    with pytest.raises(BadInput, match="expected"):
        MIXED.digits(configuration)


@pytest.mark.parametrize("text", ["", "a:1", "a:99", "a,a", "a b", "a:x", ",".join(f"p{i}:9" for i in range(9))])
def test_what_is_not_a_space_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        SimSpace.parse(text)


def test_an_unknown_parameter_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="focus_blur"):
        TASK2SIM.position("focus_blurr")
    assert TASK2SIM.names[TASK2SIM.position("focus_blur")] == "focus_blur"
