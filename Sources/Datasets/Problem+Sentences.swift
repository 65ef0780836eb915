import Diagnostics
import Files

// Every sentence of the Datasets target except those about label noise, tables and sources; tests pin
// them.

// MARK: - Any data set

extension Problem {
    // MARK: Views

    static func viewRange(_ key: String, found: String, expected: String) -> Problem {
        Problem(
            .data, "value out of range", at: Place(detail: [key]), found: found, expected: expected)
    }
    static func versionOfOthers(_ name: String, isOfTexts: Bool) -> Problem {
        Problem(
            .data,
            isOfTexts
                ? "words can be left out of texts only" : "noise on features is for tables only",
            at: .file(name))
    }
    static func viewsOfNoImages(_ name: String) -> Problem {
        Problem(.data, "views for learning without labels need images", at: .file(name))
    }

    static func noSamples(_ name: String) -> Problem {
        Problem(.data, "no samples", at: .file(name))
    }

    static func noClasses(_ name: String) -> Problem {
        Problem(.data, "no classes", at: .file(name))
    }

    static func countMismatch(
        _ name: String, _ what: String, found: Int, expected: Int
    ) -> Problem {
        Problem(
            .data, "wrong number of \(what)", at: .file(name), found: "\(found)",
            expected: "\(expected)")
    }

    static func emptyShape(_ name: String, _ shape: [Int]) -> Problem {
        Problem(.data, "samples without values", at: .file(name), found: "shape \(shape)")
    }

    static func notFinite(_ name: String, sample: Int, column: String, value: Float) -> Problem {
        Problem(
            .data, "value is not finite", at: .file(name, "sample \(sample)", "column \(column)"),
            found: "\(value)")
    }

    static func labelOutOfRange(
        _ place: String, _ what: String, sample: Int, label: Int, classCount: Int
    ) -> Problem {
        Problem(
            .data, "\(what) out of range", at: .file(place, "sample \(sample)"), found: "\(label)",
            expected: "0 to \(classCount - 1)")
    }

    static func imageShape(_ name: String, _ shape: [Int], columns: Int) -> Problem {
        Problem(
            .data,
            "columns do not make an image of \(shape.map(String.init).joined(separator: "x"))",
            at: .file(name), found: "\(columns) columns",
            expected: checkedProduct(shape).map { "\($0)" })
    }

    static func notAPixel(_ name: String, sample: Int, column: String, value: Float) -> Problem {
        Problem(
            .data, "value is not a pixel", at: .file(name, "sample \(sample)", "column \(column)"),
            found: "\(value)", expected: "a whole number from 0 to 255")
    }

    static func embeddedMissing(_ folder: String) -> Problem {
        Problem(
            .io, "the embedded data is not beside the program", at: .file(folder),
            hint: "copy limbeck_Datasets.resources along with the program")
    }

    static func embeddedChanged(_ folder: String) -> Problem {
        Problem(
            .data, "the embedded data is not as it was built", at: .file(folder),
            hint: "rebuild it with scripts/embedded-data")
    }
}

// MARK: - gzip

extension Problem {
    static func gzipMemory(_ file: String) -> Problem {
        Problem(.internal, "zlib does not start", at: .file(file))
    }

    static func gzipCut(_ file: String, at offset: Int) -> Problem {
        Problem(
            .data, "gzip data ends early", at: .file(file, "byte \(offset)"),
            hint: "was the download cut?")
    }

    static func gzipDamaged(_ file: String, at offset: Int, _ reason: String) -> Problem {
        Problem(.data, "gzip data is damaged", at: .file(file, "byte \(offset)"), found: reason)
    }

    static func gzipTwice(_ file: String) -> Problem {
        Problem(
            .data, "gzip data inside gzip data", at: .file(file),
            hint: "unpack the file once with gunzip")
    }

    static func gzipTrailing(_ file: String, at offset: Int, count: Int) -> Problem {
        Problem(
            .data, "bytes after the gzip data", at: .file(file, "byte \(offset)"),
            found: "\(count) bytes")
    }
}

// MARK: - IDX

extension Problem {
    static func idxShort(_ file: String, found: Int, expected: Int) -> Problem {
        Problem(
            .data, "IDX header is cut", at: .file(file, "byte \(found)"), found: "\(found) bytes",
            expected: "at least \(expected)")
    }

    static func idxMagic(_ file: String, _ bytes: [UInt8]) -> Problem {
        Problem(
            .data, "not an IDX file", at: .file(file, "byte 0"),
            found: FileKind(bytes)?.description ?? hex(Array(bytes.prefix(4))),
            expected: "00 00 08 and the number of dimensions")
    }

    static func idxType(_ file: String, _ type: UInt8) -> Problem {
        let isFraction = type == 0x0D || type == 0x0E
        return Problem(
            .data, "IDX element type is not read", at: .file(file, "byte 2"),
            found: isFraction ? hex([type]) + " (floating-point numbers)" : hex([type]),
            expected: "08 (unsigned bytes), or 09, 0b, 0c (signed integers)",
            hint: isFraction ? "write pixels as whole numbers from 0 to 255" : nil)
    }
    static func idxValue(
        _ file: String, at byte: Int, element: Int, _ what: String, _ value: Int, most: Int
    ) -> Problem {
        Problem(
            .data, "IDX value is not \(what)",
            at: .file(file, "byte \(byte)", "element \(element)"), found: "\(value)",
            expected: "0 to \(most)")
    }

    static func idxDimensions(
        _ file: String, found: Int, expected: String, _ what: String
    ) -> Problem {
        Problem(
            .data, "wrong number of IDX dimensions for \(what)", at: .file(file, "byte 3"),
            found: "\(found)", expected: expected)
    }

    static func idxEmpty(_ file: String, at offset: Int, _ shape: [Int]) -> Problem {
        Problem(
            .data, "IDX extent is zero", at: .file(file, "byte \(offset)"), found: "shape \(shape)")
    }

    static func idxClaim(_ file: String, _ shape: [Int], most: Int) -> Problem {
        Problem(
            .data, "IDX header claims more than the file can hold", at: .file(file, "byte 4"),
            found: "shape \(shape)", expected: "at most \(most) values")
    }

    static func idxSize(_ file: String, found: String, expected: Int) -> Problem {
        Problem(
            .data, "IDX size does not match its header", at: .file(file), found: "\(found) bytes",
            expected: "\(expected)")
    }

    static func idxPair(_ images: String, images count: Int, _ file: String, labels: Int) -> Problem
    {
        Problem(
            .data, "images and labels do not belong together", at: .file(file),
            found: "\(labels) labels", expected: "\(count), as many as images in \(images)")
    }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }
}

// MARK: - CIFAR

extension Problem {
    static func cifarFolder(_ folder: String, expected: String) -> Problem {
        Problem(
            .data, "no CIFAR file in the folder", at: .file(folder), expected: expected,
            hint: "the binary version is meant, not the Python one")
    }

    static func cifarSize(_ file: String, found: Int, record: Int, looksLike: String?) -> Problem {
        Problem(
            .data, "not a whole number of CIFAR records", at: .file(file), found: "\(found) bytes",
            expected: "a multiple of \(record)", hint: looksLike.map { "this looks like \($0)" })
    }

    static func cifarLabel(
        _ file: String, at offset: Int, sample: Int, _ what: String, _ label: Int, classCount: Int
    ) -> Problem {
        Problem(
            .data, "\(what) out of range", at: .file(file, "sample \(sample)", "byte \(offset)"),
            found: "\(label)", expected: "0 to \(classCount - 1)")
    }
}

// MARK: - Batches

extension Problem {
    static func normalisation(_ mean: [Float], _ std: [Float]) -> Problem {
        Problem(
            .data, "normalisation is not usable",
            found: "\(mean.count) means, \(std.count) stds",
            expected: "as many of each, finite, stds above 0 and not too small for float32")
    }

    static func normalisationCount(_ name: String, found: Int, expected: Int) -> Problem {
        Problem(
            .data, "normalisation does not fit the samples", at: .file(name),
            found: "\(found) means", expected: "\(expected)")
    }

    static func augmented(_ name: String, isText: Bool) -> Problem {
        Problem(
            .data, "crops and flips are for images", at: .file(name),
            found: isText ? "text" : "a table",
            hint: isText
                ? "augmentation.drop leaves out words"
                : "augmentation.noise and augmentation.drop are for tables")
    }

    static func disturbedImages(_ name: String) -> Problem {
        Problem(
            .data, "noise and drop are for tables and texts", at: .file(name), found: "images",
            hint: "images are changed by augmentation.padding and augmentation.flip")
    }

    static func noisyTexts(_ name: String) -> Problem {
        Problem(
            .data, "noise is for tables", at: .file(name), found: "text",
            hint: "augmentation.drop leaves out words")
    }

    static func padding(_ padding: Int, most: Int) -> Problem {
        Problem(
            .data, "crop padding out of range", found: "\(padding)", expected: "0 to \(most)")
    }

    static func noMembers(_ name: String) -> Problem {
        Problem(.data, "no samples chosen", at: .file(name))
    }

    static func member(_ name: String, _ index: Int, count: Int) -> Problem {
        Problem(
            .data, "sample does not exist", at: .file(name), found: "sample \(index)",
            expected: "0 to \(count - 1)")
    }

    static func batchSize(_ size: Int) -> Problem {
        Problem(.data, "batch size out of range", found: "\(size)", expected: "at least 1")
    }

    static func noFullBatch(_ name: String, members: Int, batchSize: Int) -> Problem {
        Problem(
            .data, "not one full batch", at: .file(name), found: "\(members) samples",
            expected: "at least \(batchSize)", hint: "choose a smaller batch size")
    }
}

// MARK: - Splits

extension Problem {
    static func splitShare(_ part: String, _ share: Double) -> Problem {
        Problem(
            .data, "\(part) share out of range", found: "\(share)",
            expected: "at least 0 and below 1")
    }

    static func splitSize(_ name: String, validation: Int, test: Int, count: Int) -> Problem {
        Problem(
            .data, "split leaves nothing to train on", at: .file(name),
            found: "\(validation) validation and \(test) test samples",
            expected: "at least 0 each, together fewer than \(count)")
    }

    static func classTooSmall(
        _ name: String, _ label: String, samples: Int, units: Int, grouped: Bool, parts: Int
    ) -> Problem {
        Problem(
            .data, "class \"\(label)\" is too small to split", at: .file(name),
            found: grouped
                ? "\(samples) samples in \(units) groups"
                : units == samples
                    ? "\(samples) samples" : "\(samples) samples, \(units) different",
            expected: "at least \(parts)", hint: "one for each part")
    }

    static func partTooSmall(_ name: String, _ part: String, _ size: Int, classes: Int) -> Problem {
        Problem(
            .data, "\(part) split cannot hold every class", at: .file(name),
            found: "\(size) samples for \(classes) classes",
            hint: "give it more samples, or leave it out with 0")
    }

    static func groupsForbid(_ name: String, units: Int, sizes: [Int]) -> Problem {
        Problem(
            .data, "no split found that has every class in every part", at: .file(name),
            found: "\(units) sets of samples that stay together",
            expected: "sizes near \(sizes.map(String.init).joined(separator: ", "))",
            hint: "ask for other sizes, or split without groups")
    }

    static func groupsTooLarge(
        _ name: String, _ part: String, wanted: Int, got: Int, largest: Int
    ) -> Problem {
        Problem(
            .data, "\(part) split is too far from the size asked for", at: .file(name),
            found: "\(got) samples", expected: "about \(wanted)",
            hint: "samples that must stay together number up to \(largest)")
    }
}
