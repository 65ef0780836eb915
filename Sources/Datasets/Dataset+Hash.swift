import Crypto

extension Dataset {
    /// SHA-256 of the content, in lower-case hex, over these bytes in order: the text
    /// `limbeck-dataset-1` and a zero byte; `i`, `t` or `x` (images, table or text); the count, the class
    /// count and the sample shape as little-endian 64-bit integers; the feature bytes (a table's
    /// as little-endian float32; of texts their UTF-8, then their ends as 64-bit integers); the given labels; and, each after a letter, clean labels (`c`),
    /// coarse labels (`s`) and groups (`g`) where there are any. All labels are little-endian
    /// 64-bit integers. Names do not enter. Computed at every call, at hundreds of MB per second.
    public var sha256: String {
        var hash = SHA256()
        hash.update(
            data: Array("limbeck-dataset-1".utf8) + [0, isImages ? 0x69 : isText ? 0x78 : 0x74])
        func update(_ values: [Int]) {
            let words = values.map { Int64($0).littleEndian }
            words.withUnsafeBytes { hash.update(bufferPointer: $0) }
        }
        update([count, classCount] + sampleShape)
        switch features {
        case .images(let bytes, _, _, _): bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        case .table(let cells, _):
            let words = cells.map(\.bitPattern.littleEndian)
            words.withUnsafeBytes { hash.update(bufferPointer: $0) }
        case .text(let texts, _):
            texts.bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
            update(texts.ends)
        }
        update(labels)
        for (letter, list) in [(UInt8(0x63), clean), (0x73, coarse), (0x67, groups)] {
            guard let list else { continue }
            hash.update(data: [letter])
            update(list)
        }
        return hash.finalize().hex
    }
}

extension Digest {
    var hex: String {
        let digits = Array("0123456789abcdef".unicodeScalars)
        var out = String.UnicodeScalarView()
        for byte in self {
            out.append(digits[Int(byte >> 4)])
            out.append(digits[Int(byte & 15)])
        }
        return String(out)
    }
}
