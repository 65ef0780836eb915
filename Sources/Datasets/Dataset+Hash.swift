import Files

extension Dataset {
    /// SHA-256 of the content, in lower-case hex, over these bytes in order: the text
    /// `limbeck-dataset-1` and a zero byte; `i`, `t` or `x` (images, table or text); the count, the class
    /// count and the sample shape as little-endian 64-bit integers; the feature bytes (a table's
    /// as little-endian float32; of texts their UTF-8, then their ends as 64-bit integers); the given labels; and, each after a letter, clean labels (`c`),
    /// coarse labels (`s`), groups (`g`) and marks of the source's own validation samples (`v`, 1 or 0) where
    /// there are any. All labels are little-endian 64-bit integers. Names do not enter. Computed at every call, at hundreds of MB per second.
    public var sha256: String {
        var hash = SHA256()
        hash.update(
            Array("limbeck-dataset-1".utf8) + [0, isImages ? 0x69 : isText ? 0x78 : 0x74])
        func update(_ values: [Int]) {
            let words = values.map { Int64($0).littleEndian }
            words.withUnsafeBytes { hash.update($0) }
        }
        update([count, classCount] + sampleShape)
        switch features {
        case .images(let bytes, _, _, _): hash.update(bytes)
        case .table(let cells, _):
            let words = cells.map(\.bitPattern.littleEndian)
            words.withUnsafeBytes { hash.update($0) }
        case .text(let texts, _):
            hash.update(texts.bytes)
            update(texts.ends)
        }
        update(labels)
        let marks = ownValidation?.map { $0 ? 1 : 0 }
        for (letter, list) in [
            (UInt8(0x63), clean), (0x73, coarse), (0x67, groups), (0x76, marks),
        ] {
            guard let list else { continue }
            hash.update([letter])
            update(list)
        }
        return hash.finish()
    }
}
