"""What stands in a file is read as it stands, and no quote swallows a row without a word."""

from pathlib import Path

import pytest

from models.tables import quoting
from models.tables.rows import EMPTY, REPEATED, TableError
from tests.models.tables.reading import faults_of, open_written, rows_of, values_of

SWALLOWING = [
    ['"Nice kettle', "pos"],
    ["cold soup", "neg"],
    ["warm bread", "pos"],
    ['broken lamp"', "neg"],
    ["fine day", "pos"],
]


def join(rows: list[list[str]], separator: str, *, end: str = "\n") -> str:
    """Write rows by hand, without any quoting."""
    return "".join(separator.join(row) + end for row in [["text", "label"], *rows])


class TestValues:
    @pytest.mark.parametrize(
        "label", ["00501", "01", "1", "1E5", "+1", "TRUE", "1.10", " pos", "-0", "0x1F", "NaN", "½"]
    )
    def test_a_value_is_the_text_that_stands_there(self, tmp_path: Path, label: str) -> None:
        for quoted in (label, f'"{label}"'):
            table = open_written(tmp_path, "r.csv", f"text,label\na,{quoted}\nb,x\n")
            assert values_of(table) == [["a", label], ["b", "x"]]

    def test_quoted_fields(self, tmp_path: Path) -> None:
        content = 'text,label\n"He said ""no"", twice",a\n"two\nlines",b\n"",c\n'
        table = open_written(tmp_path, "r.csv", content)
        assert values_of(table) == [['He said "no", twice', "a"], ["two\nlines", "b"], ["", "c"]]
        assert table.notes == []
        assert table.size == 3

    def test_a_number_of_any_length_in_a_column_of_its_own(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.csv", f"text,label,id\na,x,{'9' * 400}\n")
        assert values_of(table) == [["a", "x", "9" * 400]]

    def test_columns_of_one_name(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.csv", "text,text,label,\na,b,c,d\n")
        assert table.columns == ("text", "text.2", "label", "")
        assert values_of(table) == [["a", "b", "c", "d"]]
        assert "2 columns have the name 'text'; the second is read as 'text.2'" in table.notes[0]


class TestJoinedFiles:
    @pytest.mark.parametrize("header", ["text,label", '"text","label"', "\ufefftext,label"])
    def test_the_header_again(self, tmp_path: Path, header: str) -> None:
        table = open_written(tmp_path, "r.csv", f"text,label\na,x\n{header}\r\nb,y\n{header}\n")
        assert faults_of(table) == {3: REPEATED, 5: REPEATED}

    def test_what_is_no_header(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.csv", "text,label\ntext,x\nText,Label\na,label\n")
        assert values_of(table) == [["text", "x"], ["Text", "Label"], ["a", "label"]]
        assert values_of(open_written(tmp_path, "r.csv", "text\ntext\n")) == [["text"]]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
    @pytest.mark.parametrize("name", ["r.csv", "r.txt", "r.jsonl"])
    def test_marks_between_them(self, tmp_path: Path, name: str, encoding: str) -> None:
        rows = {"r.csv": 'text\n"a, b"\n', "r.txt": "a, b\n", "r.jsonl": '{"text": "a, b"}\n'}
        again = rows[name].removeprefix("text\n")
        content = f"\ufeff{rows[name]}\ufeff{again}".encode(encoding)
        assert values_of(open_written(tmp_path, name, content)) == [["a, b"], ["a, b"]]


class TestWhatStandsAboveTheHeader:
    @pytest.mark.parametrize("above", ["Export of May\n\n", "# by a program\n", '"a, title"\n'])
    def test_it_is_named(self, tmp_path: Path, above: str) -> None:
        with pytest.raises(TableError, match="delete what stands above the names") as caught:
            open_written(tmp_path, "r.csv", f"{above}text,label\na,x\nb,y\n")
        assert above.split("\n", maxsplit=1)[0].strip('"') in str(caught.value)

    def test_a_single_column_is_none(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.csv", "text\na, b\nc\n")
        assert faults_of(table) == {2: "2 fields, where the header has 1"}


class TestStrayQuotes:
    @pytest.mark.parametrize(
        ("name", "separator"), [("r.tsv", "\t"), ("r.csv", ","), ("r.csv", ";")]
    )
    def test_a_balanced_pair_swallows_no_rows(
        self, tmp_path: Path, name: str, separator: str
    ) -> None:
        table = open_written(tmp_path, name, join(SWALLOWING, separator))
        assert values_of(table) == SWALLOWING
        assert "quotes do not balance and are read as characters" in table.notes[-1]

    @pytest.mark.parametrize(("name", "separator"), [("r.tsv", "\t"), ("r.csv", ",")])
    @pytest.mark.parametrize("every", [1, 2, 3, 7])
    def test_opening_quotes_alone(
        self, tmp_path: Path, name: str, separator: str, every: int
    ) -> None:
        rows = [
            ['"' * (row % every == 0) + f"text {row}", ("pos", "neg")[row % 2]] for row in range(80)
        ]
        assert values_of(open_written(tmp_path, name, join(rows, separator))) == rows

    @pytest.mark.parametrize(
        "text",
        ['12" pipe', 'the "best" one', '"quoted" start', 'an end "quoted"', '"', '""x', 'a"'],
    )
    @pytest.mark.parametrize(("name", "separator"), [("r.tsv", "\t"), ("r.csv", ",")])
    def test_quotes_in_a_text(self, tmp_path: Path, name: str, separator: str, text: str) -> None:
        rows = [["plain", "pos"], [text, "neg"], ["more", "pos"], [text, "pos"], ["end", "neg"]]
        assert values_of(open_written(tmp_path, name, join(rows, separator))) == rows

    def test_tabs_between_texts_in_needless_quotes(self, tmp_path: Path) -> None:
        rows = [['"Great"', "pos"], ["nice", "neg"]]
        assert values_of(open_written(tmp_path, "r.tsv", join(rows, "\t"))) == rows
        quoted = 'text\tlabel\n"Great"\t"pos"\n"nice"\t"neg"\n'
        table = open_written(tmp_path, "r.tsv", quoted)
        assert values_of(table) == [["Great", "pos"], ["nice", "neg"]]

    def test_texts_of_many_lines_and_commas_stay_whole(self, tmp_path: Path) -> None:
        texts = ["Hello, world\nbye, now\nlast", "one, two\nthree", "a\n\nb, c", ",\n,\n"]
        content = "text,label\n" + "".join(f'"{text}",pos\n' for text in texts) + "x,neg\n"
        table = open_written(tmp_path, "r.csv", content)
        assert values_of(table) == [*([text, "pos"] for text in texts), ["x", "neg"]]

    def test_swallowed_rows_that_no_reading_gives_back_are_named(self, tmp_path: Path) -> None:
        content = 'text,label\n"Nice,pos\ncold, wet,neg\nwarm,pos\nlamp",neg\nfine,pos\n'
        table = open_written(tmp_path, "r.csv", content)
        assert faults_of(table) == {2: "a quoted text holds what looks like further rows"}

    def test_a_quote_that_nothing_closes_costs_one_row(self, tmp_path: Path) -> None:
        rows = "".join(f"text {row},pos\n" for row in range(50))
        table = open_written(tmp_path, "r.csv", f'text,label\n"open, it stays,pos\n{rows}')
        assert list(faults_of(table)) == [2]
        assert "its quotes do not balance" in faults_of(table)[2]
        assert table.size == 51

    @pytest.mark.parametrize(
        ("line", "text"),
        [
            (r'"He said \"no\", twice",a', 'He said "no", twice'),
            (r'"C:\\dir, \"x\"",a', r'C:\dir, "x"'),
        ],
    )
    def test_quotes_behind_backslashes(self, tmp_path: Path, line: str, text: str) -> None:
        table = open_written(tmp_path, "r.csv", f"text,label\n{line}\nb,c\n")
        assert values_of(table) == [[text, "a"], ["b", "c"]]

    def test_spaces_before_quotes(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.csv", '"text", "label"\n"a, b", "c, d"\n')
        assert table.columns == ("text", "label")
        assert values_of(table) == [["a, b", "c, d"]]


class TestWidth:
    def test_rows_of_another_width_are_named(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.csv", "text,label\na,b\nx,y,z\nonly\nc,d\n")
        assert faults_of(table) == {
            3: "3 fields, where the header has 2",
            4: "1 fields, where the header has 2",
        }

    def test_empty_fields_at_the_end_are_none(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.csv", "text,label\na,b,,\nc,d, \n")
        assert values_of(table) == [["a", "b"], ["c", "d"]]

    def test_empty_rows_are_named(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.csv", "text,label,n\na,b,1\n,,\n\n , ,\nc,d,2\n")
        assert faults_of(table) == {3: EMPTY, 5: EMPTY}


class TestSeparators:
    @pytest.mark.parametrize("separator", [";", "|", "\t"])
    @pytest.mark.parametrize("name", ["r.csv", "r.tsv"])
    def test_found(self, tmp_path: Path, name: str, separator: str) -> None:
        rows = [["one, two", "a"], ["three", "b"]]
        assert values_of(open_written(tmp_path, name, join(rows, separator))) == rows

    @pytest.mark.parametrize("line", ["sep=;\r\n", '"sep=;"\n', "SEP=;\n"])
    def test_told_by_the_first_line(self, tmp_path: Path, line: str) -> None:
        table = open_written(tmp_path, "r.csv", line + 'text;label\r\n"a;b";c\r\n')
        assert values_of(table) == [["a;b", "c"]]

    def test_named(self, tmp_path: Path) -> None:
        for name in ("~", "bar"):
            mark = {"bar": "|"}.get(name, name)
            content = join([["a, b; c", "x"]], mark)
            table = open_written(tmp_path, "r.csv", content, separator=name)
            assert values_of(table) == [["a, b; c", "x"]]

    @pytest.mark.parametrize("name", ["", "::", '"', "\n"])
    def test_no_separator(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ValueError, match="no single character"):
            open_written(tmp_path, "r.csv", "text,label\n", separator=name)

    def test_commas_stay_where_texts_hold_semicolons(self, tmp_path: Path) -> None:
        rows = [["a; b; c", "x"], ["d; e", "y"]]
        assert values_of(open_written(tmp_path, "r.csv", join(rows, ","))) == rows

    def test_one_column(self, tmp_path: Path) -> None:
        assert values_of(open_written(tmp_path, "r.csv", "text\na\nb; c\n")) == [["a"], ["b; c"]]


class TestLines:
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_ends(self, tmp_path: Path, end: str) -> None:
        rows = [["a", "x"], ["b", "y"]]
        assert values_of(open_written(tmp_path, "r.csv", join(rows, ",", end=end))) == rows

    @pytest.mark.parametrize("mark", ["\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\0"])
    def test_other_characters_end_no_line(self, tmp_path: Path, mark: str) -> None:
        rows = [[f"a{mark}b", "x"], ["c", "y"]]
        assert values_of(open_written(tmp_path, "r.csv", join(rows, ","))) == rows

    def test_nothing_but_empty_lines(self, tmp_path: Path) -> None:
        with pytest.raises(TableError, match="has no header"):
            open_written(tmp_path, "r.csv", "\n\n")


class TestLimits:
    def test_a_quote_that_is_open_for_too_many_lines_is_astray(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(quoting, "LONGEST_RECORD", 4)
        rows = [['"open', "pos"], *([f"text {row}", "neg"] for row in range(20)), ['end"', "pos"]]
        table = open_written(tmp_path, "r.csv", join(rows, ","))
        assert values_of(table) == rows

    def test_a_record_of_several_lines_and_another_width_is_one_fault(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.csv", 'text,label\n"one\ntwo",pos,more\nfine,neg\n')
        assert faults_of(table) == {2: "3 fields, where the header has 2"}

    def test_quotes_in_tabs_of_another_width_stay_quotes(self, tmp_path: Path) -> None:
        content = 'text\tlabel\n"a"\tpos\nb\tneg\nc\n'
        table = open_written(tmp_path, "r.tsv", content)
        assert [row.values["text"] for row in rows_of(table)] == ["a", "b", "c"]

    @pytest.mark.parametrize("line", [r'"a \" b,pos', 'a, "b" c', '"a" "b",pos'])
    def test_what_no_way_of_quoting_reads_stands_as_written_or_is_a_fault(
        self, tmp_path: Path, line: str
    ) -> None:
        table = open_written(tmp_path, "r.csv", f"text,label\n{line}\nfine,neg\n")
        found, fine = rows_of(table)
        assert found.fault is not None or ",".join(found.values.values()) == line
        assert fine.fault is None
