"""Compiled statements say and load what Peewee itself would."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import peewee
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.rows import NOW, add, add_by_peewee, library_by_id
from viewra_lite.built_in import BUILT_IN
from viewra_lite.database.orm import fields, statements
from viewra_lite.database.orm.nodes import OneOf
from viewra_lite.database.orm.statements import Statement, statement
from viewra_lite.errors import InvalidValueError
from viewra_lite.media.models import Episode, MediaFile, MediaLibrary, Season, TVShow, Work

# Not shrinking: after an error PostgreSQL refuses everything else in the transaction.

PHASES = [Phase.explicit, Phase.generate]
MODELS = [model for module in BUILT_IN for model in module.models]

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(-1e9, 1e9, width=32).map(lambda x: round(x, 3))
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
path = st.binary(max_size=20).map(
    lambda raw: raw.replace(b"\0", b"/").decode("utf-8", "surrogateescape")
)
moments = st.datetimes(
    datetime(2, 1, 1),
    datetime(9998, 1, 1),
    timezones=st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone),
)


def values_of(field):
    """What a column may hold."""
    if isinstance(field, peewee.ForeignKeyField):
        return text
    if isinstance(field, fields.ChoiceField):
        return st.sampled_from(field.allowed)
    kinds = {
        fields.TimestampField: moments,
        fields.JSONField: json,
        fields.PathField: path,
        fields.DateField: st.dates(date(2, 1, 1)),
        peewee.TextField: text,
        peewee.IntegerField: st.integers(-(2**31), 2**31 - 1),
        peewee.BooleanField: st.booleans(),
        peewee.BigIntegerField: st.integers(-(2**63), 2**63 - 1),
        peewee.DoubleField: st.floats(allow_nan=False, allow_infinity=False),
        peewee.AutoField: st.integers(1, 2**31 - 1),
        peewee.BigAutoField: st.integers(1, 2**63 - 1),
    }
    return kinds[type(field)]


def rows_of(model):
    return st.fixed_dictionaries(
        {
            field.name: values_of(field) | st.none() if field.null else values_of(field)
            for field in model._meta.sorted_fields
        }
    )


def without_rules(model):
    """A copy of a table without its constraints, so that any value of the type may stand in it."""
    columns = {
        field.name: type(field)(null=True)
        if not isinstance(field, (peewee.ForeignKeyField, fields.ChoiceField, peewee.AutoField))
        else fields.ChoiceField(field.allowed, null=True)
        if isinstance(field, fields.ChoiceField)
        else peewee.TextField(null=True)
        if isinstance(field, peewee.ForeignKeyField)
        else peewee.BigIntegerField(null=True)
        for field in model._meta.sorted_fields
    }

    class Meta:
        table_name = f"copy_of_{model._meta.table_name}"
        primary_key = False
        database = model._meta.database

    return type(f"Copy{model.__name__}", (peewee.Model,), {**columns, "Meta": Meta})


def contents(instance):
    return {
        "data": instance.__data__,
        "dirty": instance._dirty,
        "related": {name: contents(rel) for name, rel in instance.__rel__.items()},
    }


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_is_stored_and_loaded_as_peewee_does(store, db, model):
    copy = without_rules(model)
    database = model._meta.database
    names = [field.name for field in copy._meta.sorted_fields]
    compiled = {
        "insert": Statement(lambda **values: copy.insert(**values), names=names),
        "all": Statement(lambda: copy.select()),
    }
    with db.writer():
        database.create_tables([copy])

        @settings(max_examples=12, suppress_health_check=list(HealthCheck), phases=PHASES)
        @given(rows_of(model))
        def check(row):
            copy.delete().execute()
            copy.insert(row).execute()
            db.run(compiled["insert"], **row)
            by_peewee, by_us = list(copy.select()), db.all(compiled["all"])
            assert [contents(found) for found in by_us] == [contents(found) for found in by_peewee]
            assert by_us[0].__data__ == by_us[1].__data__ == row
            assert db.one(compiled["all"]).__data__ == by_us[0].__data__
            for field in copy._meta.sorted_fields:
                for found in by_us:
                    value = getattr(found, field.name)
                    if isinstance(value, datetime):
                        assert value.utcoffset() == timedelta(0)
                    assert type(value) in (type(row[field.name]), int, float)

        check()


def test_it_is_compiled_once(store, db, monkeypatch):
    calls = []
    real = statements.Compiled.__init__

    def counted(self, *args):
        calls.append(self)
        real(self, *args)

    monkeypatch.setattr(statements.Compiled, "__init__", counted)
    builds = []

    def build(id):
        builds.append(id)
        return MediaLibrary.select().where(MediaLibrary.id == id)

    question = statement(build)
    add(store, "a")
    for _ in range(5):
        assert db.one(question, "a").id == "a"
        assert len(db.all(question, "a")) == 1
        with store.reader():
            assert db.one(question, "b") is None
    assert len(builds) == 1
    assert len(calls) <= 2  # the question's and, in a fresh process, the insert's


def test_a_result_never_queries_again(store, db):
    add(store, "a")
    with db.writer():
        MediaFile.insert(
            id="f", library="a", path="/f", filename="f", created_at=NOW, updated_at=NOW
        ).execute()
    queries = []
    MediaLibrary._meta.database.query_hooks.append(queries.append)

    @statement
    def alone(id):
        return MediaFile.select().where(MediaFile.id == id)

    @statement
    def joined(id):
        return (
            MediaFile.select(MediaFile, MediaLibrary).join(MediaLibrary).where(MediaFile.id == id)
        )

    file = db.one(alone, "f")
    assert (file.library, file.library_id) == ("a", "a")
    for name in MediaFile._meta.fields:
        getattr(file, name)
    file = db.one(joined, "f")
    assert (file.library.name, file.library_id, file.library.id) == ("a", "a", "a")
    assert queries == []


def test_joined_models_are_filled_as_peewee_fills_them(store, db):
    with db.writer():
        add_by_peewee("a")
        for id, kind in (("ws", "show"), ("w1", "episode"), ("w2", "episode")):
            Work.insert(id=id, kind=kind).execute()
        TVShow.insert(
            work="ws",
            id="s",
            library="a",
            title="Show",
            sort_title="show",
            identity="s",
            created_at=NOW,
            updated_at=NOW,
        ).execute()
        Season.insert(id="1", show="s", season_number=1).execute()
        MediaFile.insert(
            id="f", library="a", path="/f", filename="f", created_at=NOW, updated_at=NOW
        ).execute()
        for number, file in ((1, "f"), (2, None)):
            Episode.insert(
                id=f"e{number}",
                show="s",
                season="1",
                season_number=1,
                episode_number=number,
                title=f"Part {number}",
                media_file=file,
                work=f"w{number}",
            ).execute()

    def query():
        return (
            Episode.select(Episode, MediaFile, Season, TVShow)
            .join(MediaFile, peewee.JOIN.LEFT_OUTER, on=(Episode.media_file == MediaFile.id))
            .switch(Episode)
            .join(Season, on=(Episode.season == Season.id))
            .switch(Episode)
            .join(TVShow, on=(Episode.show == TVShow.id))
            .order_by(Episode.id)
        )

    ours = db.all(Statement(query))
    with store.reader():
        theirs = list(query())
    for mine, its in zip(ours, theirs):
        for name in Episode._meta.fields:
            left, right = getattr(mine, name), getattr(its, name)
            assert getattr(left, "__data__", left) == getattr(right, "__data__", right)
    assert [episode.media_file and episode.media_file.path for episode in ours] == ["/f", None]
    assert {(episode.show.title, episode.season.show_id) for episode in ours} == {("Show", "s")}


def test_only_some_columns_are_filled_as_peewee_fills_them(store, db):
    add(store, "a")

    def query():
        return MediaLibrary.select(MediaLibrary.created_at, MediaLibrary.path)

    ours = db.all(Statement(query))
    with store.reader():
        assert contents(ours[0]) == contents(query().get())


@pytest.mark.parametrize("count", [0, 1, 5_000])
def test_one_of_takes_a_list_of_any_length(store, db, count):
    @statement
    def some(ids):
        return MediaLibrary.select(MediaLibrary.id).where(OneOf(MediaLibrary.id, ids)).tuples()

    @statement
    def of_intervals(intervals):
        return (
            MediaLibrary.select(MediaLibrary.id)
            .where(OneOf(MediaLibrary.scan_interval, intervals))
            .tuples()
        )

    for name in ("x1", "x4999", "é'\"\\", "y"):
        add(store, name)
    wanted = [f"x{n + 1}" for n in range(count)]
    found = {id for (id,) in db.all(some, wanted)}
    assert found == {"x1", "x4999"} & set(wanted)
    assert db.all(some, ["é'\"\\"]) == [("é'\"\\",)]
    assert len(db.all(of_intervals, list(range(count)))) == (4 if count else 0)


def test_parameters_are_converted_wherever_they_stand(store, db):
    late = datetime(2024, 5, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))  # NOW, said otherwise

    @statement
    def upsert(id, path, moment, seen, new_path):
        return MediaLibrary.insert(
            {
                MediaLibrary.id: id,
                MediaLibrary.name: id,
                MediaLibrary.path: path,
                MediaLibrary.type: "movie",
                MediaLibrary.scan_interval: 0,
                MediaLibrary.created_at: moment,
                MediaLibrary.updated_at: moment,
            }
        ).on_conflict(
            conflict_target=[MediaLibrary.id],
            update={MediaLibrary.last_scan: seen, MediaLibrary.path: new_path},
        )

    @statement
    def between(low, high, path):
        return MediaLibrary.select().where(
            MediaLibrary.last_scan.between(low, high), MediaLibrary.path == path
        )

    for odd in ("/\udcff", "/\U0010ff80"):
        for _ in range(2):
            assert db.run(upsert, "a", odd, late, late, odd) == 1
        assert db.one(between, late, late, odd).last_scan == NOW
        assert db.one(library_by_id, "a").path == odd
    with pytest.raises(InvalidValueError):
        db.run(upsert, "a", "/x", late, datetime(2024, 1, 1), "/x")
    with pytest.raises(InvalidValueError):
        db.one(between, late, datetime(2024, 1, 1), "/x")


def test_run_tells_how_many_rows_changed_and_returning_gives_rows(store, db):
    @statement
    def rename(name, id):
        return MediaLibrary.update({MediaLibrary.name: name}).where(MediaLibrary.id != id)

    @statement
    def rename_returning(name):
        return MediaLibrary.update({MediaLibrary.name: name}).returning(MediaLibrary.id).tuples()

    for name in "abc":
        add(store, name)
    assert db.run(rename, "x", "a") == 2
    assert sorted(db.run_returning(rename_returning, "y")) == [("a",), ("b",), ("c",)]
    with store.writer():
        assert db.run(rename, "z", "nobody") == 3
        assert len(db.run_returning(rename_returning, "y")) == 3
    assert db.one(library_by_id, "a").name == "y"
