"""SQL, the only truth: tables, migrations, and one module per thing people care about."""
