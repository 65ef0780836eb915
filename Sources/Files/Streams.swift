import Diagnostics
import Foundation

/// Bytes to a descriptor that is open already: standard streams, files, devices, pipes.
public enum Streams {
    /// Writes all of `bytes`, however many calls that takes.
    ///
    /// - Returns: 0, or the `errno` of the call that failed. It never raises a signal if `SIGPIPE`
    ///   and `SIGXFSZ` are ignored (``ignoreSignals()``).
    public static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes {
                #if canImport(Glibc)
                    Glibc.write(descriptor, $0.baseAddress, $0.count)
                #else
                    Darwin.write(descriptor, $0.baseAddress, $0.count)
                #endif
            }
            if count < 0 {
                if errno == EINTR { continue }
                guard errno == EAGAIN else { return errno }
                // Another process made this pipe or terminal non-blocking: wait for room in it.
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiting, 1, -1)
                continue
            }
            start += count
        }
        return 0
    }

    /// A reader that went away and a limit of file sizes then come as errors of `write`, which have
    /// their sentences and exit code; the signals would end the process without a word.
    public static func ignoreSignals() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Occupies those of descriptors 0, 1 and 2 that the parent left closed. Otherwise the first file
    /// that is opened would get such a number, and words for the terminal would land in it.
    ///
    /// What occupies them is the reading end of a pipe that nobody writes to: a read ends at once,
    /// and a write fails, so that results on a closed standard output are not lost without a word.
    public static func reserveStandardDescriptors() {
        let missing = (Int32(0)...2).filter { fcntl($0, F_GETFD) == -1 && errno == EBADF }
        guard !missing.isEmpty else { return }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        // The pipe takes the lowest free numbers itself: its two ends may be among the missing ones.
        for number in missing where number != ends[0] { dup2(ends[0], number) }
        for end in ends where !missing.contains(end) { close(end) }
    }

    /// The descriptor that `path` stands for: `/dev/stdout`, `/dev/fd/3`, or any name of the very
    /// file that standard output or error goes to. Opening such a file a second time would write
    /// over what goes to the descriptor.
    static func descriptor(behind path: String) -> Int32? {
        for prefix in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(prefix) {
            if let number = Int32(path.dropFirst(prefix.count)), number >= 0 { return number }
        }
        var target = stat()
        guard stat(path, &target) == 0 else { return nil }
        for number in [STDOUT_FILENO, STDERR_FILENO] {
            var own = stat()
            if fstat(number, &own) == 0, own.st_dev == target.st_dev, own.st_ino == target.st_ino {
                return number
            }
        }
        return nil
    }
}
