"""Document stores (a directory, S3, IPFS, several joined), and sealing in the age format."""

from ledger_node.edges.documents.age_sealer import AgeSealer, remove_unfinished
from ledger_node.edges.documents.ipfs import KuboServer
from ledger_node.edges.documents.joined import JoinedStore
from ledger_node.edges.documents.s3 import BucketServer, S3Place, open_bucket
from ledger_node.edges.documents.segments import SegmentStore
from ledger_node.edges.documents.staged import BlobServer, StagedStore

__all__ = [
    "AgeSealer",
    "BlobServer",
    "BucketServer",
    "JoinedStore",
    "KuboServer",
    "S3Place",
    "SegmentStore",
    "StagedStore",
    "open_bucket",
    "remove_unfinished",
]
