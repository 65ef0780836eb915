import Diagnostics

@testable import LabelText

/// What the readers of word vectors and vocabularies promise for any bytes.
enum LabelTextProperties {
    static func matrix(_ bytes: [UInt8]) throws -> Bool {
        try accepted {
            let matrix = try NumPyMatrix(bytes, file: "input")
            for row in [0, matrix.rows - 1] where (0..<matrix.rows).contains(row) {
                try promise(try matrix.row(row).count == matrix.columns, "a row is cut")
            }
        }
    }

    /// A vocabulary; its last line is the text to be cut into its entries.
    static func vocabulary(_ bytes: [UInt8]) throws -> Bool {
        let cut = bytes.lastIndex(of: 0x0a) ?? bytes.count
        return try accepted {
            let words = try WordPiece(vocabulary: Array(bytes[..<cut]), file: "input")
            let ids = words(String(decoding: bytes[cut...], as: UTF8.self), limit: 16)
            try promise((2...16).contains(ids.count), "\(ids.count) numbers")
            try promise(ids.allSatisfy { (0..<words.count).contains($0) }, "no such entry")
        }
    }
}
