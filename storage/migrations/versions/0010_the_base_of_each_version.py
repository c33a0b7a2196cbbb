"""Which base model each version belongs to, by what the settings call it and by its weights"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COLUMNS = ("base_ref", "base_name", "base_sha256")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("versions", sa.Column(name, sa.String(), nullable=True))


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("versions", name)
