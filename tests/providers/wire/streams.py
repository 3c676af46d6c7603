"""Sample streams, as the vendors send them, for the tests of usage readers."""

from __future__ import annotations

CHAT = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","model":"gpt-4o-mini-2024-07-18","service_tier":'
    b'"default","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}\n\n'
    b'data: {"id":"chatcmpl-1","model":"gpt-4o-mini-2024-07-18","service_tier":"default",'
    b'"choices":[{"index":0,"delta":{"content":"an \\"error\\": {"},"finish_reason":null}],"usage":null}\n\n'
    b'data: {"id":"chatcmpl-1","model":"gpt-4o-mini-2024-07-18","service_tier":"default",'
    b'"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}\n\n'
    b'data: {"id":"chatcmpl-1","model":"gpt-4o-mini-2024-07-18","service_tier":"default","choices":[],'
    b'"usage":{"prompt_tokens":19,"completion_tokens":12,"total_tokens":31,"prompt_tokens_details":{"cached_tokens":8,'
    b'"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":5}}}\n\n'
    b"data: [DONE]\n\n"
)
CHAT_WITHOUT_USAGE = (
    b'data: {"id":"1","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'
    b'data: {"id":"1","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b"data: [DONE]\n\n"
)
RESPONSES = (
    b'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1",'
    b'"status":"in_progress","model":"gpt-5-2025-08-07","error":null,"usage":null,"service_tier":"auto"}}\n\n'
    b"event: response.output_text.delta\n"
    b'data: {"type":"response.output_text.delta","sequence_number":1,"delta":"hi"}\n\n'
    b'event: response.completed\ndata: {"type":"response.completed","sequence_number":2,"response":{"id":"resp_1",'
    b'"status":"completed","model":"gpt-5-2025-08-07","error":null,"service_tier":"flex","output":[{"type":"mcp_call",'
    b'"error":{"message":"tool failed"}}],"usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":4},'
    b'"output_tokens":87,"output_tokens_details":{"reasoning_tokens":64},"total_tokens":123}}}\n\n'
)
MESSAGES = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",'
    b'"model":"claude-sonnet-4-5-20250929","content":[],"stop_reason":null,"usage":{"input_tokens":1000,'
    b'"cache_creation_input_tokens":200,"cache_read_input_tokens":300,"output_tokens":1,"service_tier":"standard",'
    b'"cache_creation":{"ephemeral_5m_input_tokens":150,"ephemeral_1h_input_tokens":50}}}}\n\n'
    b"event: content_block_start\n"
    b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
    b'event: ping\ndata: {"type":"ping"}\n\n'
    b"event: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n'
    b"event: content_block_stop\n"
    b'data: {"type":"content_block_stop","index":0}\n\n'
    b"event: message_delta\n"
    b'data: {"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":40}}\n\n'
    b"event: message_delta\n"
    b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
    b'"usage":{"output_tokens":100,"output_tokens_details":{"thinking_tokens":60}}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
