"""What is wrong with the way telemetry is set up."""


class SetupError(ValueError):
    """Telemetry cannot be set up as asked; the text names the setting, its value and what would be allowed."""
