import Diagnostics
import Foundation

/// The bytes of a file, read by the system where and when they are looked at.
///
/// Another program that cuts the file meanwhile ends this one: use it for files that nobody writes to.
public final class MappedFile: Sendable {
    public let path: String
    /// Valid as long as the object is.
    public nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    /// - Throws: `.io` for what is missing, no regular file, or cannot be mapped.
    public init(_ path: String) throws(Problem) {
        let (descriptor, size) = try openFile(path)
        defer { close(descriptor) }
        self.path = path
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0),
            start != MAP_FAILED
        else { throw .cannot("map", path, errno) }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
    }

    deinit {
        if let start = bytes.baseAddress {
            munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
        }
    }

    /// Takes pages of `range`, and those that the system read with them, out of this process's memory; they come
    /// back when they are looked at.
    public func release(_ range: Range<Int>) {
        guard let base = bytes.baseAddress, !range.isEmpty else { return }
        let start = range.lowerBound / Self.window * Self.window
        let end = min(bytes.count, (range.upperBound / Self.window + 1) * Self.window)
        madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, MADV_DONTNEED)
    }

    /// Bytes that Linux maps around a page that was missing; a multiple of the sizes of pages.
    private static let window = 1 << 16
}
