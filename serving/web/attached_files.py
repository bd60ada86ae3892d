"""Upload and download of case files, for the console and the API."""

import structlog
from starlette.responses import Response

from serving.access.callers import Caller
from serving.container import Services
from serving.degraded_modes import require_disk_reserve
from serving.integrity.audit_log import AuditEvent
from serving.review.acts.attachment_scan import require_clean
from serving.review.acts.attachments import AttachedFile, AttachmentQuota, named_after
from serving.review.cases.case_records import CaseFile
from serving.review.cases.reviewer import Reviewer
from serving.review.errors import FileNotClean
from serving.web.downloads import download_headers

log = structlog.get_logger(__name__)

# Even if a browser opens the file in place of saving it, nothing in it can run or load.
SANDBOXED = {"Content-Security-Policy": "default-src 'none'; sandbox"}


def attach_as_sent(
    services: Services, caller: Caller, case_id: str, name: str, content: bytes
) -> CaseFile:
    """Attach a file to a case after the configured virus scanner has passed it.

    Raises NotFound, BodyTooLarge, Unprocessable, FileNotClean, Conflict or ServingError.
    """
    settings, reviewer = services.settings, Reviewer.from_caller(caller)
    # Check access first, so that callers without it cannot make the server scan files.
    services.cases.case(reviewer, case_id)
    require_disk_reserve(settings)
    file = AttachedFile.from_upload(name, content, settings.max_attachment_bytes)
    _require_clean(services, caller, file, content)
    quota = AttachmentQuota(
        settings.max_case_attachment_bytes, settings.max_attachment_bytes_per_day
    )
    return services.cases.attach(reviewer, case_id, services.clock(), file, content, quota)


def _require_clean(services: Services, caller: Caller, file: AttachedFile, content: bytes) -> None:
    """Raise FileNotClean, and record it in the audit log, if the scanner rejects the file."""
    command = services.settings.attachment_scanner
    if command is None:
        return
    try:
        require_clean(content, command, services.settings.attachment_scan_s)
    except FileNotClean as refusal:
        log.warning("attachment_refused", cause=refusal.cause, sha256=file.sha256)
        details = {"cause": refusal.cause, "size_bytes": file.size_bytes}
        now = services.clock()
        services.audit_log.append(
            AuditEvent(now, caller.actor, "refuse", "attachment", file.sha256, details)
        )
        raise


def handed_out(services: Services, caller: Caller, case_id: str, sha256: str) -> Response:
    """Return a file of a case as a download that browsers do not open, and record the access.

    Raises NotFound, or Forbidden if the case is masked.
    """
    file, content = services.cases.download(
        Reviewer.from_caller(caller), case_id, sha256, services.clock()
    )
    # Derive the name again: files stored by earlier versions keep the name they were uploaded with.
    name = named_after(file.name, file.media_type)
    headers = SANDBOXED | download_headers(name)
    return Response(content, headers=headers, media_type=file.media_type)
