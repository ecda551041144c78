"""The kinds of findings there are: how grave each is, what a list of them is called, and which repair there may be.

A code has one severity, wherever it is found. Whether a certain finding can be repaired is said by the finding itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from lib.dataset.finding import Severity


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding. `title` names several of them; `fix` is the name of a repair, see FIX_LABELS."""

    code: str
    severity: Severity
    title: str
    fix: str | None


_READING: tuple[tuple[str, Severity, str, str | None], ...] = (
    ("invalid_json", "error", "Lines that are not JSON", None),
    ("invalid_utf8", "error", "Lines that are not UTF-8", None),
    ("too_deep", "error", "Lines nested too deeply", None),
    ("line_too_long", "error", "Lines too long to read", None),
    ("not_an_object", "error", "Lines that are no objects", None),
    ("repeated_key", "warning", "Objects with the same key twice", "keep_last_values"),
    ("half_character", "warning", "Halves of characters", "replace_half_characters"),
    ("not_one_example_a_line", "info", "Files without one example a line", None),
    ("not_utf8", "info", "Files in another encoding", None),
    ("row_left_out", "warning", "Rows that make no example", None),
    ("keys_left_out", "info", "Keys without a place in the examples", None),
)
_ARRIVAL: tuple[tuple[str, Severity, str, str | None], ...] = (
    ("unreadable_file", "error", "Files that cannot be read", None),
    ("archive_damaged", "error", "Damaged archives", None),
    ("rest_not_read", "error", "Tables not read to their end", None),
    ("broken_character", "error", "Files that break off inside a character", None),
    ("broken_row", "error", "Rows that cannot be read", None),
    ("ragged_row", "error", "Rows with too many or too few cells", None),
    ("between_examples", "error", "Text between the examples", None),
    ("decompressed", "info", "Files that were unpacked", None),
    ("windows_text", "info", "Files read as Windows text", None),
    ("no_headings", "info", "Tables without headings", None),
    ("headings_changed", "info", "Headings that were changed", None),
    ("rows_above", "info", "Rows above the headings", None),
    ("other_sheets", "info", "Sheets that stayed out", None),
)
_FILE: tuple[tuple[str, Severity, str, str | None], ...] = (
    ("invalid_n_examples", "error", "Files with too few examples", None),
    ("file_too_large", "error", "Files over the size limit", None),
    ("near_not_looked_for", "info", "Near duplicates not looked for", None),
)
_STRUCTURE: tuple[tuple[str, Severity, str, str | None], ...] = (
    ("missing_messages", "error", "Examples without messages", None),
    ("messages_not_a_list", "error", "Messages that are no list", None),
    ("no_messages", "error", "Empty lists of messages", "remove_example"),
    ("prompt_completion", "error", "Examples in the legacy format", "convert"),
    ("foreign_format", "error", "Examples in another tool's format", "convert"),
    ("wrong_method", "error", "Examples for another method", None),
    ("extra_key", "error", "Extra keys", "remove_extra_keys"),
    ("no_assistant_message", "error", "Examples without an answer", "remove_example"),
    ("last_not_assistant", "warning", "Examples that do not end with an answer", "drop_messages_after_the_last_answer"),
    ("nothing_to_train_on", "error", "Examples with nothing to train on", "remove_example"),
    ("null_field", "warning", "Keys without a value", "drop_nulls"),
)
_MESSAGES: tuple[tuple[str, Severity, str, str | None], ...] = (
    ("message_not_an_object", "error", "Messages that are no objects", None),
    ("missing_role", "error", "Messages without a role", None),
    ("unknown_role", "error", "Unknown roles", "rename_role"),
    ("developer_role", "warning", "Developer messages", "developer_to_system"),
    ("extra_message_key", "error", "Extra keys in messages", "remove_extra_message_keys"),
    ("misplaced_key", "warning", "Keys of another role", "remove_extra_message_keys"),
    ("misplaced_weight", "warning", "Weights outside answers", "drop_misplaced_weights"),
    ("missing_content", "error", "Messages without content", "drop_empty_messages"),
    ("empty_content", "warning", "Empty messages", "drop_empty_messages"),
    ("content_type", "error", "Content that is no text", "content_to_text"),
    ("no_parts", "error", "Empty lists of parts", "drop_empty_messages"),
    ("unknown_part", "error", "Parts of unknown type", "text_to_parts"),
    ("misplaced_part", "error", "Parts in the wrong role", None),
    ("broken_part", "error", "Parts without their content", None),
    ("extra_part_key", "warning", "Extra keys in parts", "remove_extra_part_keys"),
    ("bad_weight", "error", "Weights other than 0 and 1", "round_weight"),
    ("bad_name", "warning", "Names that services refuse", "clean_names"),
)
_IMAGES: tuple[tuple[str, Severity, str, str | None], ...] = (
    ("many_images", "warning", "Examples with too many images", None),
    ("image_address", "warning", "Images without an address on the web", None),
    ("image_detail", "error", "Images with an unknown detail", "drop_image_details"),
    ("image_too_large", "warning", "Images over 10 MB", None),
    ("image_format", "warning", "Images of another format", None),
    ("image_colours", "warning", "Images not in RGB", None),
)
_TOOLS: tuple[tuple[str, Severity, str, str | None], ...] = (
    ("tools_not_a_list", "error", "Tools that are no list", None),
    ("many_tools", "error", "Examples with too many tools", None),
    ("bad_tool", "error", "Tools that are none", "wrap_tools"),
    ("tool_without_type", "error", "Tools without a type", "add_tool_types"),
    ("bad_tool_name", "error", "Names that no tool may have", None),
    ("repeated_tool", "warning", "Tools declared twice", None),
    ("bad_tool_parameters", "error", "Parameters that are no object", None),
    ("tool_schema", "warning", "Parameters that are no schema", None),
    ("functions_not_a_list", "error", "Functions that are no list", None),
    ("functions_count", "error", "Too few or too many functions", None),
    ("bad_function", "error", "Functions that are none", None),
    ("tools_and_functions", "warning", "Examples with tools and functions", None),
    ("legacy_functions", "info", "Examples with functions", "functions_to_tools"),
    ("parallel_not_boolean", "error", "Settings neither true nor false", "parallel_to_boolean"),
    ("parallel_without_tools", "info", "Settings for tools without tools", "drop_parallel_tool_calls"),
)
_CALLS: tuple[tuple[str, Severity, str, str | None], ...] = (
    ("bad_tool_calls", "error", "Calls that are no list", "drop_empty_calls"),
    ("bad_tool_call", "error", "Calls that are none", None),
    ("bad_function_call", "error", "Calls of functions that are none", None),
    ("call_without_id", "error", "Calls without an id", "number_calls"),
    ("call_without_type", "error", "Calls without a type", "add_call_types"),
    ("repeated_call_id", "warning", "Calls with the same id", None),
    ("undeclared_tool", "warning", "Calls of undeclared tools", None),
    ("arguments_not_text", "error", "Arguments that are no text", "arguments_to_text"),
    ("arguments_not_json", "error", "Arguments that are not JSON", "mend_arguments"),
    ("arguments_no_object", "warning", "Arguments without names", None),
    ("arguments_unlike_schema", "warning", "Arguments unlike their declaration", None),
    ("answer_without_call_id", "error", "Tool answers without a call's id", None),
    ("answer_without_call", "warning", "Tool answers without a call", "drop_uncalled_answers"),
    ("function_without_name", "error", "Function answers without a name", None),
    ("unanswered_call", "warning", "Calls without an answer", "drop_unanswered_calls"),
)
_METHODS: tuple[tuple[str, Severity, str, str | None], ...] = (
    ("missing_input", "error", "Pairs without an input", None),
    ("bad_input", "error", "Inputs without messages", None),
    ("missing_answer", "error", "Pairs with one answer", None),
    ("other_name", "warning", "Answers with the other name", "rename_answers"),
    ("bad_answer", "error", "Answers that are not one message", None),
    ("equal_answers", "warning", "Pairs of equal answers", "remove_example"),
    ("input_ends_with_assistant", "warning", "Inputs that end with an answer", None),
    ("image_in_preference", "error", "Images in preference pairs", None),
    ("ends_with_assistant", "warning", "Questions with an answer", None),
    ("system_role", "error", "System messages for a grader", "system_to_developer"),
    ("response_format_in_line", "warning", "Formats that belong in the job", "drop_response_format"),
    ("no_grader_fields", "info", "Examples without fields for a grader", None),
)
_QUALITY: tuple[tuple[str, Severity, str, str | None], ...] = (
    ("special_token", "error", "Special tokens", "break_special_tokens"),
    ("like_special_token", "warning", "Marks of chat templates", "break_special_tokens"),
    ("says_nothing", "warning", "Answers of punctuation alone", "remove_example"),
    ("answer_in_prompt", "info", "Answers that stand in the question", None),
    ("refusal", "info", "Refusals", None),
    ("placeholder", "warning", "Placeholders", None),
    ("boilerplate", "warning", "Phrases of chat models", None),
    ("broken_encoding", "warning", "Broken characters", "repair_encoding"),
    ("lost_characters", "warning", "Lost characters", None),
    ("control_characters", "warning", "Invisible characters", "remove_control_characters"),
    ("over_token_limit", "warning", "Examples over the token limit", "remove_example"),
)
_COMPARISON: tuple[tuple[str, Severity, str, str | None], ...] = (
    ("duplicate", "warning", "Exact duplicates", "remove_example"),
    ("near_duplicate", "info", "Near duplicates", "remove_example"),
    ("leak", "warning", "Prompts in training and validation", "remove_example"),
    ("near_leak", "warning", "Similar examples in training and validation", "remove_example"),
    ("same_prompt", "info", "Equal prompts with other answers", None),
    ("rare_label", "warning", "Misspelt labels", "rename_label"),
    ("single_label", "info", "Labels that occur once", None),
    ("unbalanced_labels", "warning", "Unbalanced labels", None),
    ("answer_not_json", "warning", "Answers that should be JSON", None),
    ("system_prompt_varies", "warning", "System prompts that differ a little", "use_system_prompt"),
)
_SECRETS: tuple[tuple[str, Severity, str, str | None], ...] = (
    ("private_key", "warning", "Private keys", "mask_secrets"),
    ("api_key", "warning", "Keys of services", "mask_secrets"),
    ("access_token", "warning", "Access tokens", "mask_secrets"),
    ("assigned_secret", "warning", "Keys and passwords after their name", "mask_secrets"),
    ("password_in_address", "warning", "Passwords in addresses", "mask_secrets"),
    ("email", "warning", "E-mail addresses", "mask_secrets"),
    ("card_number", "warning", "Card numbers", "mask_secrets"),
    ("iban", "warning", "Bank accounts", "mask_secrets"),
    ("phone", "warning", "Telephone numbers", "mask_secrets"),
    ("social_security_number", "warning", "Social security numbers", "mask_secrets"),
)
_ALL = (
    *(_READING + _ARRIVAL + _FILE + _STRUCTURE + _MESSAGES + _IMAGES + _TOOLS + _CALLS),
    *(_METHODS + _QUALITY + _COMPARISON + _SECRETS),
)

KINDS: dict[str, Kind] = {row[0]: Kind(*row) for row in _ALL}

# What a button that repairs says.
FIX_LABELS: dict[str, str] = {
    "add_call_types": "Add the type to calls",
    "add_tool_types": "Add the type to tools",
    "arguments_to_text": "Write the arguments as text",
    "break_special_tokens": "Take the bars out of the mark",
    "clean_names": "Clean the name",
    "content_to_text": "Write the content as text",
    "convert": "Convert the example",
    "developer_to_system": "Make it a system message",
    "drop_empty_calls": "Remove the empty list of calls",
    "drop_empty_messages": "Remove empty messages",
    "drop_image_details": "Remove the detail",
    "drop_messages_after_the_last_answer": "Remove what follows the last answer",
    "drop_misplaced_weights": "Remove the weight",
    "drop_nulls": "Remove keys without a value",
    "drop_parallel_tool_calls": "Remove the setting",
    "drop_response_format": "Remove the format",
    "drop_unanswered_calls": "Remove unanswered calls",
    "drop_uncalled_answers": "Remove answers without a call",
    "functions_to_tools": "Turn functions into tools",
    "keep_last_values": "Keep the last value",
    "mask_secrets": "Mask what was found",
    "mend_arguments": "Mend the arguments",
    "number_calls": "Give the calls ids",
    "parallel_to_boolean": "Write true or false",
    "remove_control_characters": "Remove invisible characters",
    "remove_example": "Remove the example",
    "remove_extra_keys": "Remove extra keys",
    "remove_extra_message_keys": "Remove extra keys",
    "remove_extra_part_keys": "Remove extra keys",
    "rename_answers": "Use the guides' names",
    "rename_label": "Use the common label",
    "rename_role": "Use the role's name",
    "repair_encoding": "Restore the characters",
    "replace_half_characters": "Replace the halves by �",
    "round_weight": "Make the weight 0 or 1",
    "system_to_developer": "Make it a developer message",
    "text_to_parts": "Make the texts parts",
    "use_system_prompt": "Use the common system prompt",
    "wrap_tools": "Complete the tools",
}
