"""Whatever somebody edits, deletes or inserts in any table is noticed, or is on record as harmless."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, func, select, text

from serving.access.actors import Actor
from serving.db.audit_verification import verify_audit_log
from serving.db.covered_tables import CHECKED_OTHERWISE, COVERED, HARMLESS
from serving.db.data_keys import DataKeys
from serving.db.log_verification import verify_decision_log
from serving.db.outline_comparison import OutlineComparison
from serving.db.repositories.webhook_repository import WebhookRepository
from serving.db.tables.schema import metadata
from tests.serving.audit.conftest import *  # noqa: F403
from tests.serving.audit.installation import Installation
from tests.serving.canaries import decided, ended
from tests.serving.conftest import NOW
from tests.serving.db.test_covered_tables import unguarded
