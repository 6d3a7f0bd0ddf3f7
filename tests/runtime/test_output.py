"""What the processes say is kept within bounds, and a lost terminal changes nothing."""

import io

from billing_console.runtime import output as module
from billing_console.runtime.output import Output


def test_log_files_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOG_BYTES", 1000)
    output = Output(tmp_path, io.StringIO())

    for number in range(500):
        output.write("web", f"line {number} of a talkative process")
    output.close()

    logs = sorted(path.name for path in tmp_path.iterdir())
    assert logs == ["web.log", "web.log.1", "web.log.2", "web.log.3"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 4 * 1000
    assert "line 499" in (tmp_path / "web.log").read_text()


def test_a_terminal_that_is_gone_is_written_to_no_more_and_the_log_goes_on(tmp_path):
    class Gone(io.StringIO):
        tries = 0

        def write(self, text):
            Gone.tries += 1
            raise BrokenPipeError

    output = Output(tmp_path, Gone())

    output.say("one")
    output.say("two")
    output.close()

    assert Gone.tries == 1
    assert [line.split()[-1] for line in (tmp_path / "console.log").read_text().splitlines()] == [
        "one",
        "two",
    ]
