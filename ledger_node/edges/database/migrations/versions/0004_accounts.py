"""Who uses the node: outlets, accounts, sessions, sign-ins under way, the access trail."""

import sqlalchemy as sa
from alembic import op

revision = "0004_accounts"
down_revision = ("0002_exchange", "0003_outbox_and_chain")
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HASH32 = sa.LargeBinary(32)


def upgrade() -> None:
    op.create_table(
        "outlets",
        sa.Column("outlet", sa.String(32), nullable=False),
        sa.Column("name_zh", sa.String(100), nullable=False),
        sa.Column("name_en", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("outlet", name="pk_outlets"),
    )
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("roles", sa.String(100), nullable=False),
        sa.Column("officer", sa.String(64)),
        sa.Column("outlet", sa.String(32)),
        sa.Column("window", sa.String(16)),
        sa.Column("system", sa.String(32)),
        sa.Column("password_hash", sa.String(200)),
        sa.Column("key_hash", HASH32),
        sa.Column("external_tag", HASH32),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.BigInteger()),
        sa.Column("totp_step", ROW_ID, nullable=False),
        sa.Column("sealed_profile", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("account_id", name="pk_accounts"),
        sa.UniqueConstraint("login", name="uq_accounts_login"),
        sa.UniqueConstraint("key_hash", name="uq_accounts_key_hash"),
        sa.UniqueConstraint("external_tag", name="uq_accounts_external_tag"),
        sa.ForeignKeyConstraint(["outlet"], ["outlets.outlet"], name="fk_accounts_outlet"),
    )
    op.create_table(
        "sessions",
        sa.Column("session_hash", HASH32, nullable=False),
        sa.Column("account_id", sa.String(80), nullable=False),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        sa.Column("provider", sa.String(32)),
        sa.Column("scope", sa.String(80)),
        sa.Column("sealed_person", sa.LargeBinary()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed_refresh", sa.LargeBinary()),
        sa.Column("checked_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("session_hash", name="pk_sessions"),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "login_states",
        sa.Column("state_hash", HASH32, nullable=False),
        sa.Column("browser_hash", HASH32, nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("sealed_state", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name="pk_login_states"),
    )
    op.create_index("ix_login_states_expires_at", "login_states", ["expires_at"])
    op.create_table(
        "access_log",
        sa.Column("access_id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.String(80), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("object_kind", sa.String(32), nullable=False),
        sa.Column("object_id", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("access_id", name="pk_access_log"),
    )
    op.create_index("ix_access_log_object", "access_log", ["object_kind", "object_id"])
    op.create_index("ix_access_log_account_id", "access_log", ["account_id"])


def downgrade() -> None:
    for table in ("access_log", "login_states", "sessions", "accounts", "outlets"):
        op.drop_table(table)
