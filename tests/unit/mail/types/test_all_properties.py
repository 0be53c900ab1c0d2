"""Each type of RFC 8621 has the properties that the RFC gives it, and no other."""

from __future__ import annotations

import pytest

from jmapcore.registry import registry

PROPERTIES = {
    "Mailbox": "id name parentId role sortOrder totalEmails unreadEmails totalThreads unreadThreads myRights isSubscribed",
    "Thread": "id emailIds",
    "Email": "id blobId threadId mailboxIds keywords size receivedAt headers messageId inReplyTo references sender from to cc"
    " bcc replyTo subject sentAt bodyStructure bodyValues textBody htmlBody attachments hasAttachment preview",
    "Identity": "id name email replyTo bcc textSignature htmlSignature mayDelete",
    "EmailSubmission": "id identityId emailId threadId envelope sendAt undoStatus deliveryStatus dsnBlobIds mdnBlobIds",
    "VacationResponse": "id isEnabled fromDate toDate subject textBody htmlBody",
}


@pytest.mark.rfc("8621", "1.1")
@pytest.mark.parametrize("name", PROPERTIES)
def test_every_property_of_the_rfc_is_supported(name: str) -> None:
    assert set(registry.types[name].properties) == set(PROPERTIES[name].split())
