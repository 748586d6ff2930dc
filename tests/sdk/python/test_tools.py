"""Tool calls, whole and streamed, and the answer to a tool's result."""

import json
from typing import Literal

import openai
from pydantic import BaseModel


class Weather(BaseModel):
    city: str
    days: int
    unit: Literal["celsius", "fahrenheit"]


TOOLS = [openai.pydantic_function_tool(Weather, name="weather")]


def test_a_tool_is_called(demo_client, chain, hello):
    answer = demo_client.chat.completions.create(model=chain, messages=hello, tools=TOOLS)
    assert answer.choices[0].finish_reason == "tool_calls"
    (call,) = answer.choices[0].message.tool_calls
    assert call.function.name == "weather"
    Weather.model_validate_json(call.function.arguments)


def test_a_streamed_call_joins_to_the_same(demo_client, chain, hello):
    with demo_client.chat.completions.stream(model=chain, messages=hello, tools=TOOLS) as stream:
        answer = stream.get_final_completion()
    assert answer.choices[0].finish_reason == "tool_calls"
    (call,) = answer.choices[0].message.tool_calls
    assert call.id and call.function.name == "weather"
    assert isinstance(call.function.parsed_arguments, Weather)


def test_a_tools_result_is_answered_in_words(demo_client, chain, hello):
    first = demo_client.chat.completions.create(model=chain, messages=hello, tools=TOOLS).choices[0].message
    result = {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": json.dumps({"sky": "blau"})}
    conversation = [*hello, first.model_dump(exclude_none=True), result]
    answer = demo_client.chat.completions.create(model=chain, messages=conversation, tools=TOOLS)
    assert answer.choices[0].finish_reason == "stop"
    assert "blau" in answer.choices[0].message.content


def test_no_tool_is_called_against_the_clients_will(demo_client, chain, hello):
    answer = demo_client.chat.completions.create(model=chain, messages=hello, tools=TOOLS, tool_choice="none")
    assert answer.choices[0].finish_reason == "stop"
