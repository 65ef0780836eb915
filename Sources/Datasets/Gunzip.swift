import CZlib
import Diagnostics

/// Decompression of gzip files (RFC 1952, several members allowed) with a bound on what comes out.
enum Gunzip {
    static func isGzip(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1f, 0x8b]) }

    /// The most that `count` compressed bytes can grow to: deflate's ratio is at most 1032.
    static func mostBytes(from count: Int) -> Int {
        let (most, isTooLarge) = count.multipliedReportingOverflow(by: 1032)
        return isTooLarge ? Int.max : most
    }

    enum Outcome: Equatable {
        case whole
        /// There is more than the limit asked for.
        case more
    }

    /// The first `limit` bytes of the decompressed content, and whether that is all of it. Never
    /// holds more than `limit` bytes, and grows only with what really comes out.
    static func inflate(
        _ input: [UInt8], file: String, limit: Int
    ) throws(Problem) -> (bytes: [UInt8], outcome: Outcome) {
        var stream = z_stream()
        // 15 window bits, plus 16 for a gzip header and nothing else.
        guard
            inflateInit2_(
                &stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw .gzipMemory(file) }
        defer { inflateEnd(&stream) }
        var run = Run(limit: limit)
        // A member ends with its size, modulo 2^32: growing an array by halves would hold the
        // content twice.
        if input.count >= 4 {
            let size = input[(input.count - 4)...].reversed().reduce(0) { $0 << 8 | Int($1) }
            run.output.reserveCapacity(min(size, limit, mostBytes(from: input.count)))
        }
        let failure: Problem? = input.withUnsafeBufferPointer { source in
            run.inflate(source, &stream, file)
        }
        if let failure { throw failure }
        return (run.output, run.outcome)
    }

    private struct Run {
        let limit: Int
        var output: [UInt8] = []
        var outcome = Outcome.whole
        var chunk = [UInt8](repeating: 0, count: 1 << 17)

        init(limit: Int) { self.limit = limit }

        mutating func inflate(
            _ source: UnsafeBufferPointer<UInt8>, _ stream: inout z_stream, _ file: String
        ) -> Problem? {
            var fed = 0  // bytes handed to zlib; it counts them in 32 bits, hence the pieces
            while true {
                if stream.avail_in == 0 {
                    let piece = min(source.count - fed, 1 << 24)
                    guard piece > 0 else { return .gzipCut(file, at: fed) }
                    stream.next_in = UnsafeMutablePointer(
                        mutating: source.baseAddress!.advanced(by: fed))
                    stream.avail_in = UInt32(piece)
                    fed += piece
                }
                let capacity = chunk.count
                let status: Int32 = chunk.withUnsafeMutableBufferPointer { buffer in
                    stream.next_out = buffer.baseAddress
                    stream.avail_out = UInt32(capacity)
                    return CZlib.inflate(&stream, Z_NO_FLUSH)
                }
                let before = output.count
                let made = capacity - Int(stream.avail_out)
                guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
                    return .gzipDamaged(
                        file, at: fed - Int(stream.avail_in),
                        stream.msg.map { String(cString: $0) } ?? "status \(status)")
                }
                output += chunk[..<min(made, limit - output.count)]
                if output.count - before < made {
                    outcome = .more
                    return nil
                }
                let used = fed - Int(stream.avail_in)
                guard status == Z_STREAM_END else { continue }
                // Tapes and block devices fill up with zeros, which gzip ignores as well.
                if source[used...].allSatisfy({ $0 == 0 }) { return nil }
                guard source.count - used > 2, source[used] == 0x1f, source[used + 1] == 0x8b else {
                    return .gzipTrailing(file, at: used, count: source.count - used)
                }
                inflateReset(&stream)
            }
        }
    }
}
