"""Ratings and awards of films, from a CSV file with the columns title,year,rating,won."""

import csv

from peewee import ForeignKeyField, IntegerField

from viewra_lite.errors import PluginError
from viewra_lite.media.models import Movie
from viewra_lite.plugins import Plugin, PluginModel


class Award(PluginModel):  # the table is plugin_awards_award
    movie = ForeignKeyField(Movie, unique=True, on_delete="CASCADE", backref="+", lazy_load=False)
    won = IntegerField()


class Awards(Plugin):
    id, name, version, api = "awards", "Awards", "1.0.0", 1
    answers = ("movie",)
    models = (Award,)
    migrations = "viewra_awards.migrations"
    config_schema = {
        "type": "object",
        "required": ["file"],
        "additionalProperties": False,
        "properties": {
            "file": {"type": "string", "title": "The CSV file"},
            "a_run": {"type": "integer", "minimum": 1, "default": 100},
        },
    }

    def check(self):
        self.films()

    def run(self, now):
        known = self.films()
        for item in self.todo("movie", limit=self.config["a_run"]):
            film = known.get((str(item.title).casefold(), item.year))
            if film is not None and item.movie_id is not None:
                self.save(item.movie_id, film)
            # Last: what is not answered comes again, so that a crash loses nothing.
            self.answer(item, film and {"rating": float(film["rating"])}, confidence=0.8)
        self.storage["last_run"] = now.isoformat()

    def save(self, movie_id, film):
        """Store the awards of a film in place of those that are known."""
        numbers = {"won": int(film["won"])}
        with self.writing():
            Award.insert(movie=movie_id, **numbers).on_conflict(
                conflict_target=[Award.movie], update=numbers
            ).execute()

    def films(self):
        """Return the lines of the file by title and year."""
        try:
            with open(self.config["file"], encoding="utf-8", newline="") as file:
                return {
                    (line["title"].casefold(), int(line["year"])): line
                    for line in csv.DictReader(file)
                }
        except (OSError, KeyError, ValueError) as exc:
            raise PluginError(
                f"the file of awards cannot be read: {exc!r}",
                remedy="a CSV file with the columns title,year,rating,won",
            ) from exc
