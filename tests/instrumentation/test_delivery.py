"""What a service reads in its log when telemetry does not arrive."""

import logging

import pytest

from hansei.instrumentation.delivery import DeliveryReport

SDK = logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter")


class Clock:
    """Seconds that pass as told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """However many batches fail, and whatever the exporters log."""
    clock = Clock()
    report = DeliveryReport(clock)
    report.install()
    try:
        for clock.now in range(0, 121, 5):
            with report.about("http://c:4317") as delivery:
                SDK.error("Failed to export, attempt at %d", clock.now)
                delivery.failed()
    finally:
        report.uninstall()
    assert [record.name for record in caplog.records] == ["hansei.instrumentation.delivery"] * 3
    assert "telemetry does not reach http://c:4317 (Failed to export, attempt at 60)" in caplog.records[1].getMessage()


def test_a_first_attempt_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    """The exporter's own retry is not reported, unless it fails as well; of the reasons the first is told."""
    report = DeliveryReport(Clock())
    with report.about("c") as delivery:
        delivery.note("refused")
        assert caplog.text == ""
        delivery.note("gave up")
    assert "telemetry does not reach c (refused)." in caplog.text


def test_what_others_log_passes(caplog: pytest.LogCaptureFixture) -> None:
    """A service may have exporters of its own; and after uninstall nothing is kept back."""
    report = DeliveryReport(Clock())
    report.install()
    SDK.warning("of the service")
    report.uninstall()
    with report.about("c"):
        SDK.warning("not followed")
    assert [record.getMessage() for record in caplog.records] == ["of the service", "not followed"]


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("StatusCode.UNAVAILABLE", "Start a collector there with `hansei serve`"),
        ("StatusCode.UNAUTHENTICATED", "Set HANSEI_API_KEY"),
        ("Queue full, dropping Span.", "raise OTEL_BSP_MAX_QUEUE_SIZE"),
    ],
)
def test_the_line_says_what_to_do(reason: str, advice: str, caplog: pytest.LogCaptureFixture) -> None:
    """It depends on the reason."""
    DeliveryReport(Clock()).lost("c", reason)
    assert advice in caplog.text
