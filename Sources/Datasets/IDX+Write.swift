// The other direction: what `IDX.read` takes back, and other programs with it.

extension IDX {
    /// A file of images: three dimensions for one channel, four for more.
    ///
    /// - Parameters:
    ///   - bytes: row-major [N, channels, height, width].
    ///   - shape: [channels, height, width].
    public static func encoded(images bytes: [UInt8], shape: [Int]) -> [UInt8] {
        precondition(shape.count == 3 && shape.allSatisfy { $0 > 0 }, "images have a shape")
        let size = shape.reduce(1, *)
        precondition(bytes.count % size == 0, "whole images")
        let extents = [bytes.count / size] + (shape[0] == 1 ? Array(shape.dropFirst()) : shape)
        return header(extents) + bytes
    }

    /// A file of labels, each in 0...255.
    public static func encoded(labels: [Int]) -> [UInt8] {
        header([labels.count]) + labels.map { UInt8($0) }
    }

    /// Two zero bytes, unsigned bytes as elements, dimensions, big-endian extents.
    private static func header(_ extents: [Int]) -> [UInt8] {
        [0, 0, 8, UInt8(extents.count)]
            + extents.flatMap { extent in
                [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: extent >> $0) }
            }
    }
}
