"""Every table, gathered here so that the metadata is complete wherever it is imported."""

from storage.tables.audit import AuditRow
from storage.tables.base import Table
from storage.tables.canaries import CanaryRow, CanaryThreadRow
from storage.tables.conversation import (
    AnswerRow,
    AnswerSourceRow,
    QuestionRow,
    VoteRow,
    WorkspaceRow,
)
from storage.tables.delivery import InboxRow, JobRow, OutboxRow
from storage.tables.documents import DocumentRow, PassageRow, SourceRow
from storage.tables.pairs import (
    PairApprovalRow,
    PairBandRow,
    PairConflictRow,
    PairGroupRow,
    PairHoldRow,
    PairRow,
    PairSourceRow,
    PairTrialRow,
)
from storage.tables.serving_embedder import ServingEmbedderRow
from storage.tables.training import (
    PromotionRow,
    RunRow,
    ServingRow,
    SnapshotPairRow,
    SnapshotRow,
    VersionRow,
)

__all__ = [
    "AnswerRow",
    "AnswerSourceRow",
    "AuditRow",
    "CanaryRow",
    "CanaryThreadRow",
    "DocumentRow",
    "InboxRow",
    "JobRow",
    "OutboxRow",
    "PairApprovalRow",
    "PairBandRow",
    "PairConflictRow",
    "PairGroupRow",
    "PairHoldRow",
    "PairRow",
    "PairSourceRow",
    "PairTrialRow",
    "PassageRow",
    "PromotionRow",
    "QuestionRow",
    "RunRow",
    "ServingEmbedderRow",
    "ServingRow",
    "SnapshotPairRow",
    "SnapshotRow",
    "SourceRow",
    "Table",
    "VersionRow",
    "VoteRow",
    "WorkspaceRow",
]
