"""How a person is named: short, and in letters that neither Markdown nor Plotly reads."""

import pytest

from dashboards.persons import label


@pytest.mark.parametrize(
    ("person", "shown"),
    [
        ("contact:desk:88120", "88120"),
        ("customer:crm:K-000318", "K-000318"),
        ("contact:mail:0123456789abcdef0123456789abcdef", "01234567"),
        ("contact:desk:a:b", "a b"),
        ("contact:desk:![x](http://evil.example/x.png)", "x http evil example x png"),
        ("contact:desk::red[Zażółć] www.evil.example", "red Zażółć www evil example"),
        ("contact:desk:<b>", "b"),
        ("contact:desk:***", "?"),
        ("88120", "88120"),
    ],
)
def test_a_person_is_named_by_the_last_word_of_the_stream(person: str, shown: str) -> None:
    assert label(person) == shown
