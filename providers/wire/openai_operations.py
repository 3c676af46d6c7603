"""The calls of the OpenAI API, by paths below its version: shared by OpenAI itself and by Azure OpenAI.

Source: openai-python 3.54.0 `resources/`, read November 2026; held by tests/providers/wire/test_openai_operations.py,
which reads that source.
"""

from __future__ import annotations

from providers.wire.routes import ApiCall, listed_calls

_ANSWERING = (
    ApiCall("chat.completions", "POST", "/chat/completions", "chat", "body", is_sampling=True),
    ApiCall("completions", "POST", "/completions", "chat", "body", is_sampling=True),
    ApiCall("responses", "POST", "/responses", "responses", "body", is_sampling=True),
    ApiCall("responses.retrieve", "GET", "/responses/{id}"),
    ApiCall("responses.input_tokens", "POST", "/responses/input_tokens", "count", is_free=True),
    ApiCall("responses.compact", "POST", "/responses/compact", "responses"),
    ApiCall("decisions", "POST", "/decisions", "responses"),
    ApiCall("embeddings", "POST", "/embeddings", "embeddings"),
    ApiCall("moderations", "POST", "/moderations", "plain", is_free=True),
    ApiCall("images.generations", "POST", "/images/generations", "images", "body"),
    ApiCall("images.edits", "POST", "/images/edits", "images", "body"),
    ApiCall("images.variations", "POST", "/images/variations", "images"),
    ApiCall("audio.speech", "POST", "/audio/speech", "speech", "body"),
    ApiCall("audio.transcriptions", "POST", "/audio/transcriptions", "transcription", "body", is_sampling=True),
    ApiCall("audio.translations", "POST", "/audio/translations", "transcription", is_sampling=True),
    ApiCall("models.list", "GET", "/models", "plain", is_free=True),
    ApiCall("models.retrieve", "GET", "/models/{model}", is_free=True),
    ApiCall("models.delete", "DELETE", "/models/{model}", is_free=True),
    ApiCall("agents.sessions.events.stream", "GET", "/agents/sessions/{id}/events", streams="always"),
)
"""Calls with something to say about their replies. `flavor`: the usage shape, see openai_usage."""

_STORED = """
POST /agents agents.create
GET /agents/{id} agents.retrieve
POST /agents/{id} agents.update
GET /agents agents.list
DELETE /agents/{id} agents.delete
POST /agents/automations agents.automations.create
GET /agents/automations/{id} agents.automations.retrieve
POST /agents/automations/{id} agents.automations.update
GET /agents/automations agents.automations.list
DELETE /agents/automations/{id} agents.automations.delete
POST /agents/automations/{id}/pause agents.automations.pause
POST /agents/automations/{id}/resume agents.automations.resume
POST /agents/automations/{id}/invocations agents.automations.invocations.create
GET /agents/automations/{id}/invocations/{id} agents.automations.invocations.retrieve
GET /agents/automations/{id}/invocations agents.automations.invocations.list
POST /agents/environments agents.environments.create
GET /agents/environments/{id} agents.environments.retrieve
GET /agents/environments agents.environments.list
POST /agents/environments/{id}/files agents.environments.files.create
GET /agents/environments/{id}/files agents.environments.files.list
POST /agents/environments/templates agents.environments.templates.create
GET /agents/environments/templates/{id} agents.environments.templates.retrieve
POST /agents/environments/templates/{id} agents.environments.templates.update
GET /agents/environments/templates agents.environments.templates.list
DELETE /agents/environments/templates/{id} agents.environments.templates.delete
POST /agents/sessions agents.sessions.create
GET /agents/sessions/{id} agents.sessions.retrieve
POST /agents/sessions/{id} agents.sessions.update
GET /agents/sessions agents.sessions.list
DELETE /agents/sessions/{id} agents.sessions.delete
GET /agents/sessions/{id}/artifacts/{id} agents.sessions.artifacts.retrieve
GET /agents/sessions/{id}/artifacts agents.sessions.artifacts.list
DELETE /agents/sessions/{id}/artifacts/{id} agents.sessions.artifacts.delete
GET /agents/sessions/{id}/artifacts/{id}/content agents.sessions.artifacts.content
POST /agents/sessions/{id}/events agents.sessions.events.create
GET /agents/sessions/{id}/items agents.sessions.items.list
GET /agents/sessions/{id}/subagents/{id} agents.sessions.subagents.retrieve
GET /agents/sessions/{id}/subagents agents.sessions.subagents.list
GET /agents/sessions/{id}/subagents/{id}/items agents.sessions.subagents.items.list
GET /agents/sessions/{id}/subagents/{id}/turns/{id} agents.sessions.subagents.turns.retrieve
GET /agents/sessions/{id}/subagents/{id}/turns agents.sessions.subagents.turns.list
GET /agents/sessions/{id}/subagents/{id}/turns/{id}/items agents.sessions.subagents.turns.items.list
GET /agents/sessions/{id}/traces agents.sessions.traces.list
GET /agents/sessions/{id}/turns/{id} agents.sessions.turns.retrieve
GET /agents/sessions/{id}/turns agents.sessions.turns.list
GET /agents/sessions/{id}/turns/{id}/items agents.sessions.turns.items.list
POST /assistants assistants.create
GET /assistants/{id} assistants.retrieve
POST /assistants/{id} assistants.update
GET /assistants assistants.list
DELETE /assistants/{id} assistants.delete
POST /audio/voice_consents audio.voice_consents.create
GET /audio/voice_consents/{id} audio.voice_consents.retrieve
POST /audio/voice_consents/{id} audio.voice_consents.update
GET /audio/voice_consents audio.voice_consents.list
DELETE /audio/voice_consents/{id} audio.voice_consents.delete
POST /audio/voices audio.voices.create
DELETE /audio/voices/{id} audio.voices.delete
POST /batches batches.create
GET /batches/{id} batches.retrieve
GET /batches batches.list
POST /batches/{id}/cancel batches.cancel
GET /chat/completions/{id} chat.completions.retrieve
POST /chat/completions/{id} chat.completions.update
GET /chat/completions chat.completions.list
DELETE /chat/completions/{id} chat.completions.delete
GET /chat/completions/{id}/messages chat.completions.messages.list
POST /chatkit/sessions chatkit.sessions.create
POST /chatkit/sessions/{id}/cancel chatkit.sessions.cancel
GET /chatkit/threads/{id} chatkit.threads.retrieve
GET /chatkit/threads chatkit.threads.list
DELETE /chatkit/threads/{id} chatkit.threads.delete
GET /chatkit/threads/{id}/items chatkit.threads.list_items
POST /containers containers.create
GET /containers/{id} containers.retrieve
GET /containers containers.list
DELETE /containers/{id} containers.delete
POST /containers/{id}/files containers.files.create
GET /containers/{id}/files/{id} containers.files.retrieve
GET /containers/{id}/files containers.files.list
DELETE /containers/{id}/files/{id} containers.files.delete
GET /containers/{id}/files/{id}/content containers.files.content.retrieve
POST /content_provenance_checks content_provenance_checks.create
POST /conversations conversations.create
GET /conversations/{id} conversations.retrieve
POST /conversations/{id} conversations.update
DELETE /conversations/{id} conversations.delete
POST /conversations/{id}/items conversations.items.create
GET /conversations/{id}/items/{id} conversations.items.retrieve
GET /conversations/{id}/items conversations.items.list
DELETE /conversations/{id}/items/{id} conversations.items.delete
POST /evals evals.create
GET /evals/{id} evals.retrieve
POST /evals/{id} evals.update
GET /evals evals.list
DELETE /evals/{id} evals.delete
POST /evals/{id}/runs evals.runs.create
GET /evals/{id}/runs/{id} evals.runs.retrieve
GET /evals/{id}/runs evals.runs.list
DELETE /evals/{id}/runs/{id} evals.runs.delete
POST /evals/{id}/runs/{id}/cancel evals.runs.cancel
GET /evals/{id}/runs/{id}/output_items/{id} evals.runs.output_items.retrieve
GET /evals/{id}/runs/{id}/output_items evals.runs.output_items.list
POST /files files.create
GET /files/{id} files.retrieve
GET /files files.list
DELETE /files/{id} files.delete
GET /files/{id}/content files.content
GET /fine_tuning/checkpoints/{id}/permissions fine_tuning.checkpoints.permissions.list
DELETE /fine_tuning/checkpoints/{id}/permissions/{id} fine_tuning.checkpoints.permissions.delete
POST /fine_tuning/checkpoints/{id}/permissions fine_tuning.checkpoints.permissions.create
POST /fine_tuning/alpha/graders/run fine_tuning.graders.run
POST /fine_tuning/alpha/graders/validate fine_tuning.graders.validate
POST /fine_tuning/jobs fine_tuning.jobs.create
GET /fine_tuning/jobs/{id} fine_tuning.jobs.retrieve
GET /fine_tuning/jobs fine_tuning.jobs.list
POST /fine_tuning/jobs/{id}/cancel fine_tuning.jobs.cancel
GET /fine_tuning/jobs/{id}/events fine_tuning.jobs.list_events
POST /fine_tuning/jobs/{id}/pause fine_tuning.jobs.pause
POST /fine_tuning/jobs/{id}/resume fine_tuning.jobs.resume
GET /fine_tuning/jobs/{id}/checkpoints fine_tuning.jobs.checkpoints.list
POST /live/sessions live.create
POST /live/sessions/{id}/accept live.sessions.accept
GET /live/sessions/{id}/content live.sessions.download_recording
POST /live/sessions/{id}/fork live.sessions.fork
POST /live/sessions/{id}/hangup live.sessions.hangup
POST /live/sessions/{id}/refer live.sessions.refer
POST /live/sessions/{id}/reject live.sessions.reject
POST /realtime/calls realtime.calls.create
POST /realtime/calls/{id}/accept realtime.calls.accept
POST /realtime/calls/{id}/hangup realtime.calls.hangup
POST /realtime/calls/{id}/refer realtime.calls.refer
POST /realtime/calls/{id}/reject realtime.calls.reject
POST /realtime/client_secrets realtime.client_secrets.create
POST /realtime/sessions realtime.sessions.create
POST /realtime/transcription_sessions realtime.transcription_sessions.create
POST /realtime/translations/client_secrets realtime.translations.client_secrets.create
DELETE /responses/{id} responses.delete
POST /responses/{id}/cancel responses.cancel
GET /responses/{id}/input_items responses.input_items.list
GET /safety/alerts/{id} safety.alerts.retrieve
GET /safety/cases/{id} safety.cases.retrieve
POST /skills skills.create
GET /skills/{id} skills.retrieve
POST /skills/{id} skills.update
GET /skills skills.list
DELETE /skills/{id} skills.delete
GET /skills/{id}/content skills.content.retrieve
POST /skills/{id}/versions skills.versions.create
GET /skills/{id}/versions/{id} skills.versions.retrieve
GET /skills/{id}/versions skills.versions.list
DELETE /skills/{id}/versions/{id} skills.versions.delete
GET /skills/{id}/versions/{id}/content skills.versions.content.retrieve
POST /threads threads.create
GET /threads/{id} threads.retrieve
POST /threads/{id} threads.update
DELETE /threads/{id} threads.delete
POST /threads/runs threads.create_and_run
POST /threads/{id}/messages threads.messages.create
GET /threads/{id}/messages/{id} threads.messages.retrieve
POST /threads/{id}/messages/{id} threads.messages.update
GET /threads/{id}/messages threads.messages.list
DELETE /threads/{id}/messages/{id} threads.messages.delete
POST /threads/{id}/runs threads.runs.create
GET /threads/{id}/runs/{id} threads.runs.retrieve
POST /threads/{id}/runs/{id} threads.runs.update
GET /threads/{id}/runs threads.runs.list
POST /threads/{id}/runs/{id}/cancel threads.runs.cancel
POST /threads/{id}/runs/{id}/submit_tool_outputs threads.runs.submit_tool_outputs
GET /threads/{id}/runs/{id}/steps/{id} threads.runs.steps.retrieve
GET /threads/{id}/runs/{id}/steps threads.runs.steps.list
POST /uploads uploads.create
POST /uploads/{id}/cancel uploads.cancel
POST /uploads/{id}/complete uploads.complete
POST /uploads/{id}/parts uploads.parts.create
POST /vaults agents.vaults.create
GET /vaults/{id} agents.vaults.retrieve
POST /vaults/{id} agents.vaults.update
GET /vaults agents.vaults.list
DELETE /vaults/{id} agents.vaults.delete
POST /vaults/{id}/credentials agents.vaults.credentials.create
GET /vaults/{id}/credentials/{id} agents.vaults.credentials.retrieve
POST /vaults/{id}/credentials/{id} agents.vaults.credentials.update
GET /vaults/{id}/credentials agents.vaults.credentials.list
DELETE /vaults/{id}/credentials/{id} agents.vaults.credentials.delete
POST /vector_stores vector_stores.create
GET /vector_stores/{id} vector_stores.retrieve
POST /vector_stores/{id} vector_stores.update
GET /vector_stores vector_stores.list
DELETE /vector_stores/{id} vector_stores.delete
POST /vector_stores/{id}/search vector_stores.search
POST /vector_stores/{id}/file_batches vector_stores.file_batches.create
GET /vector_stores/{id}/file_batches/{id} vector_stores.file_batches.retrieve
POST /vector_stores/{id}/file_batches/{id}/cancel vector_stores.file_batches.cancel
GET /vector_stores/{id}/file_batches/{id}/files vector_stores.file_batches.list_files
POST /vector_stores/{id}/files vector_stores.files.create
GET /vector_stores/{id}/files/{id} vector_stores.files.retrieve
POST /vector_stores/{id}/files/{id} vector_stores.files.update
GET /vector_stores/{id}/files vector_stores.files.list
DELETE /vector_stores/{id}/files/{id} vector_stores.files.delete
GET /vector_stores/{id}/files/{id}/content vector_stores.files.content
POST /videos videos.create
GET /videos/{id} videos.retrieve
GET /videos videos.list
DELETE /videos/{id} videos.delete
POST /videos/characters videos.create_character
GET /videos/{id}/content videos.download_content
POST /videos/edits videos.edit
POST /videos/extensions videos.extend
GET /videos/characters/{id} videos.get_character
POST /videos/{id}/remix videos.remix
POST /webhook_endpoints webhooks.create
GET /webhook_endpoints/{id} webhooks.retrieve
POST /webhook_endpoints/{id} webhooks.update
GET /webhook_endpoints webhooks.list
DELETE /webhook_endpoints/{id} webhooks.delete
POST /webhook_endpoints/{id}/rotate_secret webhooks.rotate_secret
POST /webhook_endpoints/{id}/test webhooks.test
GET /webhook_event_types webhooks.event_types.list
GET /realtime realtime.connect
GET /organization/{...} organization
POST /organization/{...} organization
DELETE /organization/{...} organization
GET /projects/{...} organization
POST /projects/{...} organization
DELETE /projects/{...} organization
"""
"""Calls on objects the provider stores, and administration: method, path, name."""

OPENAI_CALLS = (*_ANSWERING, *listed_calls(_STORED))
