"""The Django application mail."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    """Configuration of the application mail."""

    name = "mail"

    def ready(self) -> None:
        """Learn of accounts that come and go, and tell the engine which tables refer to blobs."""
        from accounts import lifecycle
        from jmapcore.blobs.references import BlobReference, register_reference
        from mail import provisioning

        lifecycle.account_created.append(provisioning.create_default_mailboxes)
        # Before the engine's own: the account's state row must still be there to be locked.
        lifecycle.account_deleted.insert(0, provisioning.delete_mail)
        register_reference(BlobReference("Email", "email_static", "blob_id", "id"))
