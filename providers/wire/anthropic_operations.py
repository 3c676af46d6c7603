"""The calls of the Anthropic API, by paths below its version.

Source: anthropic-sdk-python 2.12.0 `resources/`, and 0.125.0 for `/complete`, read November 2026; held by
tests/providers/wire/test_anthropic_operations.py, which reads that source.
"""

from __future__ import annotations

from providers.wire.routes import ApiCall, listed_calls

_ANSWERING = (
    ApiCall("messages", "POST", "/messages", "messages", "body", is_sampling=True),
    ApiCall("messages.count_tokens", "POST", "/messages/count_tokens", "count_tokens", is_free=True),
    ApiCall("completions", "POST", "/complete", "messages", "body", is_sampling=True),
    ApiCall("models.list", "GET", "/models", "plain", is_free=True),
    ApiCall("models.retrieve", "GET", "/models/{model}", is_free=True),
    ApiCall("sessions.events.stream", "GET", "/sessions/{id}/events/stream", streams="always"),
    ApiCall("sessions.threads.events.stream", "GET", "/sessions/{id}/threads/{id}/stream", streams="always"),
)
"""Calls with something to say about their replies. `flavor`: the usage shape, see anthropic_usage."""

_STORED = """
POST /agents agents.create
GET /agents/{id} agents.retrieve
POST /agents/{id} agents.update
GET /agents agents.list
POST /agents/{id}/archive agents.archive
GET /agents/{id}/versions agents.versions.list
GET /deployment_runs/{id} deployment_runs.retrieve
GET /deployment_runs deployment_runs.list
POST /deployments deployments.create
GET /deployments/{id} deployments.retrieve
POST /deployments/{id} deployments.update
GET /deployments deployments.list
POST /deployments/{id}/archive deployments.archive
POST /deployments/{id}/pause deployments.pause
POST /deployments/{id}/run deployments.run
POST /deployments/{id}/unpause deployments.unpause
POST /dreams dreams.create
GET /dreams/{id} dreams.retrieve
GET /dreams dreams.list
POST /dreams/{id}/archive dreams.archive
POST /dreams/{id}/cancel dreams.cancel
POST /environments environments.create
GET /environments/{id} environments.retrieve
POST /environments/{id} environments.update
GET /environments environments.list
DELETE /environments/{id} environments.delete
POST /environments/{id}/archive environments.archive
GET /environments/{id}/work/{id} environments.work.retrieve
POST /environments/{id}/work/{id} environments.work.update
GET /environments/{id}/work environments.work.list
POST /environments/{id}/work/{id}/ack environments.work.ack
POST /environments/{id}/work/{id}/heartbeat environments.work.heartbeat
GET /environments/{id}/work/poll environments.work.poll
GET /environments/{id}/work/stats environments.work.stats
POST /environments/{id}/work/{id}/stop environments.work.stop
GET /files files.list
DELETE /files/{id} files.delete
GET /files/{id}/content files.download
GET /files/{id} files.retrieve_metadata
POST /files files.upload
POST /memory_stores memory_stores.create
GET /memory_stores/{id} memory_stores.retrieve
POST /memory_stores/{id} memory_stores.update
GET /memory_stores memory_stores.list
DELETE /memory_stores/{id} memory_stores.delete
POST /memory_stores/{id}/archive memory_stores.archive
POST /memory_stores/{id}/memories memory_stores.memories.create
GET /memory_stores/{id}/memories/{id} memory_stores.memories.retrieve
POST /memory_stores/{id}/memories/{id} memory_stores.memories.update
GET /memory_stores/{id}/memories memory_stores.memories.list
DELETE /memory_stores/{id}/memories/{id} memory_stores.memories.delete
GET /memory_stores/{id}/memory_versions/{id} memory_stores.memory_versions.retrieve
GET /memory_stores/{id}/memory_versions memory_stores.memory_versions.list
POST /memory_stores/{id}/memory_versions/{id}/redact memory_stores.memory_versions.redact
POST /messages/batches messages.batches.create
GET /messages/batches/{id} messages.batches.retrieve
GET /messages/batches messages.batches.list
DELETE /messages/batches/{id} messages.batches.delete
POST /messages/batches/{id}/cancel messages.batches.cancel
POST /sessions sessions.create
GET /sessions/{id} sessions.retrieve
POST /sessions/{id} sessions.update
GET /sessions sessions.list
DELETE /sessions/{id} sessions.delete
POST /sessions/{id}/archive sessions.archive
GET /sessions/{id}/events sessions.events.list
POST /sessions/{id}/events sessions.events.send
GET /sessions/{id}/resources/{id} sessions.resources.retrieve
POST /sessions/{id}/resources/{id} sessions.resources.update
GET /sessions/{id}/resources sessions.resources.list
DELETE /sessions/{id}/resources/{id} sessions.resources.delete
POST /sessions/{id}/resources sessions.resources.add
GET /sessions/{id}/threads/{id} sessions.threads.retrieve
GET /sessions/{id}/threads sessions.threads.list
POST /sessions/{id}/threads/{id}/archive sessions.threads.archive
GET /sessions/{id}/threads/{id}/events sessions.threads.events.list
POST /skills skills.create
GET /skills/{id} skills.retrieve
GET /skills skills.list
DELETE /skills/{id} skills.delete
POST /skills/{id}/versions skills.versions.create
GET /skills/{id}/versions/{id} skills.versions.retrieve
GET /skills/{id}/versions skills.versions.list
DELETE /skills/{id}/versions/{id} skills.versions.delete
GET /skills/{id}/versions/{id}/content skills.versions.download
POST /tunnels tunnels.create
GET /tunnels/{id} tunnels.retrieve
GET /tunnels tunnels.list
POST /tunnels/{id}/archive tunnels.archive
POST /tunnels/{id}/reveal_token tunnels.reveal_token
POST /tunnels/{id}/rotate_token tunnels.rotate_token
POST /tunnels/{id}/certificates tunnels.certificates.create
GET /tunnels/{id}/certificates/{id} tunnels.certificates.retrieve
GET /tunnels/{id}/certificates tunnels.certificates.list
POST /tunnels/{id}/certificates/{id}/archive tunnels.certificates.archive
POST /user_profiles user_profiles.create
GET /user_profiles/{id} user_profiles.retrieve
POST /user_profiles/{id} user_profiles.update
GET /user_profiles user_profiles.list
DELETE /user_profiles/{id} user_profiles.delete
POST /user_profiles/{id}/enrollment_url user_profiles.create_enrollment_url
POST /user_profiles/{id}/action_urls user_profiles.action_urls.create
POST /vaults vaults.create
GET /vaults/{id} vaults.retrieve
POST /vaults/{id} vaults.update
GET /vaults vaults.list
DELETE /vaults/{id} vaults.delete
POST /vaults/{id}/archive vaults.archive
POST /vaults/{id}/credentials vaults.credentials.create
GET /vaults/{id}/credentials/{id} vaults.credentials.retrieve
POST /vaults/{id}/credentials/{id} vaults.credentials.update
GET /vaults/{id}/credentials vaults.credentials.list
DELETE /vaults/{id}/credentials/{id} vaults.credentials.delete
POST /vaults/{id}/credentials/{id}/archive vaults.credentials.archive
POST /vaults/{id}/credentials/{id}/mcp_oauth_validate vaults.credentials.mcp_oauth_validate
GET /messages/batches/{id}/results messages.batches.results
POST /oauth/token oauth.token
GET /organizations/{...} organization
POST /organizations/{...} organization
DELETE /organizations/{...} organization
"""
"""Calls on objects the provider stores, and administration: method, path, name."""

ANTHROPIC_CALLS = (*_ANSWERING, *listed_calls(_STORED))
