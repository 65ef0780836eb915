import Diagnostics
import Files
import Foundation
import Testing

@testable import EventFiles

/// Five records that another writer made and TensorBoard's loader read: the version, `loss/train` at
/// steps 0, 1 and 2 as `simple_value`, and `accuracy` at step 3 as a tensor.
private func fixture() throws -> [UInt8] {
    try readFile(Bundle.module.path(forResource: "Fixtures/five", ofType: "tfevents")!)
}

private final class Folder {
    let path = FileManager.default.temporaryDirectory
        .appendingPathComponent("limbeck-tests-\(UUID())").path

    deinit { try? LocalFileSystem().remove(path) }

    /// The content of the one event file.
    func content() throws -> [UInt8] { try readFile("\(path)/\(EventLog.name(in: path)!)") }

    func put(_ bytes: [UInt8]) throws {
        try LocalFileSystem().createDirectory(path)
        try LocalFileSystem().write(bytes, to: "\(path)/events.out.tfevents.1700000000.limbeck")
    }
}

struct EventFilesTests {
    @Test func checkSums() {
        #expect(CRC32C.of("123456789".utf8) == 0xe306_9283)
        #expect(CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.masked("123456789".utf8) == 0xc78a_b0e5)
    }

    @Test func bytesEqualThoseOfAnotherWriter() throws {
        let file = try fixture()
        let events =
            [Event.version(time: 1.7e9)]
            + (0..<3).map { step in
                Event(
                    time: 1.7e9 + Double(step), step: step,
                    [.init("loss/train", .scalar(1 / Float(step + 1)))])
            }
        let own = events.flatMap(EventRecords.framed)
        #expect(own == Array(file.prefix(own.count)))
        let read = EventRecords(file)
        #expect(read.fault == nil && read.hasVersion && read.records.count == 5)
        #expect(read.events.map(\.step) == [0, 1, 2, 3])
        #expect(Array(read.events.prefix(3)) == Array(events.dropFirst()))
        #expect(read.records.last?.end == file.count)
    }

    @Test func everyKindOfValueComesBack() throws {
        let event = Event(
            time: 12.5, step: 1 << 40,
            [
                .init("loss/total", .scalar(-0.25)), .init("recipe", .text("# Title\n\n    a: ä")),
                .init(
                    "images",
                    .image(.init(png: [1, 2, 3], width: 300, height: 2, channels: 4))),
            ])
        #expect(EventRecords(EventRecords.framed(event)).events == [event])
    }

    /// Wherever a writer was killed, what is whole before it is known, and the log goes on behind it.
    @Test func tornAtEveryByte() throws {
        let file = try fixture()
        let ends = EventRecords(file).records.map(\.end)
        for length in 0..<file.count {
            let cut = Array(file.prefix(length))
            let read = EventRecords(cut)
            let whole = ends.last { $0 <= length } ?? 0
            #expect(read.records.last?.end ?? 0 == whole)
            #expect((read.fault == nil) == (length == whole))
            #expect(read.fault != .damaged)
        }
        for length in [0, 1, ends[0] - 1, ends[0], ends[1] + 3, ends[3] - 1, file.count - 1] {
            let folder = Folder()
            try folder.put(Array(file.prefix(length)))
            var log = try EventLog(folder: folder.path, time: 1.7e9)
            try log.append(Event(time: 1.7e9 + 9, step: 9, [.init("x", .scalar(1))]))
            let read = EventRecords(try folder.content())
            #expect(read.fault == nil && read.hasVersion)
            let kept = ends.dropFirst().count { $0 <= length }
            #expect(read.events.map(\.step) == Array(0..<kept) + [9])
        }
    }

    /// Only what stands before a changed byte is kept.
    @Test func everyByteIsChecked() throws {
        let file = try fixture()
        let ends = EventRecords(file).records.map(\.end)
        for i in file.indices {
            var changed = file
            changed[i] ^= 0x10
            let read = EventRecords(changed)
            #expect(read.fault != nil)
            #expect(read.records.map(\.end) == ends.filter { $0 <= i })
        }
    }

    @Test func resumingTakesLaterStepsOff() throws {
        let folder = Folder()
        var log = try EventLog(folder: folder.path, time: 1.7e9)
        #expect(log.lastStep == nil)
        for step in [10, 20, 30] {
            try log.append(Event(time: 1, step: step, [.init("x", .scalar(Float(step)))]))
        }
        #expect(log.path == "\(folder.path)/events.out.tfevents.1700000000.limbeck")
        log = try EventLog(folder: folder.path, keepingUpTo: 20, time: 1.8e9)
        #expect(log.lastStep == 20)
        try log.append(Event(time: 2, step: 30, [.init("x", .scalar(31))]))
        let read = EventRecords(try folder.content())
        #expect(read.events.map(\.step) == [10, 20, 30])
        #expect(read.events.last?.entries == [.init("x", .scalar(31))])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
        // Nothing of a file that is none is kept, and it becomes one.
        try folder.put(Array("no events".utf8))
        #expect(try EventLog(folder: folder.path, time: 1).lastStep == nil)
        #expect(EventRecords(try folder.content()).hasVersion)
    }
}
