"""The Django application mail."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    """Configuration of the application mail."""

    name = "mail"

    def ready(self) -> None:
        """Learn of accounts that come and go; tell the engine the types, and how they refer to blobs and parts of them."""
        from django.conf import settings

        from accounts import lifecycle
        from jmapcore.blobs.references import (
            BlobReference,
            register_finder,
            register_parts,
            register_reference,
        )
        from jmapcore.registry import registry
        from mail import provisioning
        from mail.delivery import hooks
        from mail.message import charsets
        from mail.parts import find_mailboxes, find_threads, locate_part, resolve_part
        from mail.receipts.matching import match_receipt
        from mail.types.registration import register_mail
        from mail.vacation.responding import answer

        charsets.configure(detect=settings.MAIL_DETECT_CHARSETS, allow_utf7=settings.MAIL_ALLOW_UTF7)
        lifecycle.account_created.append(provisioning.furnish)
        lifecycle.addresses_changed.append(provisioning.follow_addresses)
        lifecycle.user_renamed.append(provisioning.follow_name)
        # Before the engine's own: the account's state row must still be there to be locked.
        lifecycle.account_deleted.insert(0, provisioning.delete_mail)
        register_reference(BlobReference("Email", "email_static", "blob_id", "id"))
        # Of no type: the message that is to be delivered is not among the blobs that an EmailSubmission names.
        register_reference(BlobReference("", "email_submission", "blob_id", "id"))
        register_reference(BlobReference("", "submission_report", "blob_id", "submission_id"))
        hooks.in_write += [match_receipt, answer]
        register_finder("Mailbox", find_mailboxes)
        register_finder("Thread", find_threads)
        register_parts(resolve_part, locate_part)
        register_mail(registry)
