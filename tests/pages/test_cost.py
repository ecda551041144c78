"""Cost: exact tokens, exact money, every model that can still be trained, and what is not known said as such."""

from __future__ import annotations

from datetime import datetime

import pytest

from lib.catalog.models import models
from lib.dataset import shelf
from lib.dataset.example import encode
from lib.dataset.samples.samples import find
from lib.ui.cost_view import UNKNOWN
from lib.workspace.database import Workspace
from tests.pages.conftest import OpenPage, words


@pytest.fixture
def routing(workspace: Workspace) -> shelf.Version:
    training, held_out = find("routing").make()
    source = b"".join(encode(example) + b"\n" for example in [*training, *held_out])
    validation = range(len(training), len(training) + len(held_out))
    return shelf.bring_in(workspace, source, "routing.jsonl", validation=validation)


def test_without_data_there_is_one_way_on(open_page: OpenPage) -> None:
    page = open_page("cost")
    assert [button.label for button in page.button] == ["Bring in examples"]
    assert not page.dataframe


def test_the_table_has_every_model_that_can_still_be_trained(open_page: OpenPage, routing: shelf.Version) -> None:
    table = open_page("cost").dataframe[0].value
    today = datetime.now().date()
    open_still = [
        one
        for one in models()
        if (one.trainable_until is None or one.trainable_until >= today)
        and (one.base_shutdown is None or one.base_shutdown > today)
        and "supervised" in one.methods
    ]
    assert list(table["Base model"]) == [(*one.aliases, one.id)[0] for one in open_still]
    assert "gpt-3.5-turbo" not in list(table["Base model"])


def test_this_machine_is_free_and_what_nobody_knows_is_not(open_page: OpenPage, routing: shelf.Version) -> None:
    table = open_page("cost").dataframe[0].value
    here = table[table["Service"] == "On this machine"].iloc[0]
    azure = table[table["Service"] == "Azure"].iloc[0]
    assert (here["In all"], here["Training"]) == ("free", "free")
    assert (azure["In all"], azure["Training"]) == ("not known", UNKNOWN)


def test_money_is_tokens_times_price(open_page: OpenPage, routing: shelf.Version) -> None:
    table = open_page("cost").dataframe[0].value
    row = table[(table["Service"] == "OpenAI") & (table["Base model"] == "gpt-4.1")].iloc[0]
    assert row["Training"] == "$25.00"
    assert row["In all"] == f"${row['Tokens'] * 25 / 1_000_000:.2f}"


def test_more_epochs_cost_more_and_one_costs_the_same(open_page: OpenPage, routing: shelf.Version) -> None:
    page = open_page("cost")
    before = page.dataframe[0].value
    page.number_input(key="epochs_240").set_value(6).run()
    assert not page.exception
    after = page.dataframe[0].value
    assert list(after["Tokens"]) == [2 * tokens for tokens in before["Tokens"]]
    assert list(after["One epoch"]) == list(before["One epoch"])


def test_a_little_money_is_not_called_free(open_page: OpenPage, workspace: Workspace) -> None:
    example = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    shelf.bring_in(workspace, (encode(example) + b"\n") * 10, "tiny.jsonl")
    table = open_page("cost").dataframe[0].value
    row = table[(table["Service"] == "OpenAI") & (table["Base model"] == "gpt-4o-mini")].iloc[0]
    assert row["In all"] == "under $0.01"


def test_the_default_rule_the_date_and_the_source_are_named(open_page: OpenPage, routing: shelf.Version) -> None:
    said = words(open_page("cost"))
    assert "The default for 240 training examples is 3" in said
    assert "60 validation examples are not trained on" in said
    assert "21 Nov 2026" in said
    assert "https://developers.openai.com" in said
