"""The layer between Peewee and the modules: fields, statements and rows."""
