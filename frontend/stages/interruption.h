#pragma once

namespace stair::stages {

/// Exit code of a command that a signal stopped: 128 + SIGINT, as shells say it; likewise for the other signals.
inline constexpr int interrupted_code = 130;

/// SIGINT, SIGTERM and SIGHUP make a run stop behind its step, with a checkpoint; a second one of the same kind ends the process at once.
/// SIGHUP stays ignored where it is (nohup).
void stop_on_signals();

/// Whether one of them has come.
bool interruption_asked();

}  // namespace stair::stages
