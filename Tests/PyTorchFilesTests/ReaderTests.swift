import Diagnostics
import Files
import Foundation
import SafeTensors
import Testing

@testable import PyTorchFiles

/// Files of PyTorch 2.13, in both forms, against the same tensors as safetensors.
@Suite struct ReaderTests {
    private static let files = [
        ("dtypes.pth", "dtypes"), ("dtypes-old.pth", "dtypes"), ("views.pth", "views"),
        ("views-old.pth", "views"), ("views-4.pth", "views"), ("checkpoint.pth", "checkpoint"),
        ("checkpoint-old.pth", "checkpoint"),
    ]

    @Test(arguments: files) func equalsPyTorch(_ name: String, _ group: String) throws {
        let file = try PyTorchFile(bytes: fixture(name), name: name)
        let expected = try SafeTensorsFile(bytes: fixture("expected.safetensors"), name: "e")
        let wanted = expected.tensors.filter { $0.name.hasPrefix("\(group)/") }
        #expect(file.form == (name.contains("-old") ? .pickles : .zip))
        #expect(file.tensors.count == wanted.count)
        for entry in wanted {
            let own = String(entry.name.dropFirst(group.count + 1))
            let tensor = try #require(file[own], "\(own)")
            #expect(tensor.shape == entry.shape && tensor.dtype == entry.dtype, "\(own)")
            #expect(try file.bytes(of: own).elementsEqual(expected.bytes(of: entry.name)), "\(own)")
        }
    }

    @Test func theDictionaryInsideACheckpoint() throws {
        let file = try PyTorchFile(bytes: fixture("checkpoint.pth"), name: "c.pth")
        #expect(file.part == "state_dict")
        #expect(
            file.ignored == [
                "epoch", "loss", "name", "done", "history", "device", "shape", "big", "optimizer",
            ])
        #expect(file.tensors.first?.name == "module.0.weight")
        #expect(
            refusal(try fixture("checkpoint.pth"), part: "ema")
                == #"x.pth: no such part with tensors: found "ema" (one of: state_dict, optimizer.state.0)"#
        )
    }

    @Test func zip64AndPlainAreEqual() throws {
        var zip = Zip(
            pickle: Pickle.file(Pickle.tensor([2, 2], [1, 2])), storages: [Array(0..<16)])
        let plain = try PyTorchFile(bytes: zip.bytes, name: "x")
        zip.isLarge = true
        let large = try PyTorchFile(bytes: zip.bytes, name: "x")
        #expect(large.tensors == plain.tensors)
        // Element (i, j) is number i + 2j: 0, 2, 1, 3.
        let order: [UInt8] = [0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15]
        #expect(try plain.bytes(of: "w") == order)
        #expect(try large.bytes(of: "w") == order)
    }

    @Test func partsAreChosenByCustomOrByTheUser() throws {
        let tensor = Pickle.tensor([4], [1])
        let inner = Pickle.emptyDictionary + Pickle.text("w") + tensor + Pickle.set
        func file(_ keys: String...) -> [UInt8] {
            Zip(
                pickle: Pickle.start + Pickle.emptyDictionary
                    + keys.flatMap { Pickle.text($0) + inner + Pickle.set } + Pickle.stop
            ).bytes
        }
        #expect(try PyTorchFile(bytes: file("ema", "net"), name: "x").part == "net")
        #expect(try PyTorchFile(bytes: file("model", "state_dict"), name: "x").part == "state_dict")
        #expect(try PyTorchFile(bytes: file("ema"), name: "x").part == "ema")
        #expect(try PyTorchFile(bytes: file("a", "b"), name: "x", part: "b").part == "b")
        #expect(
            refusal(file("a", "b"))
                == "x.pth: several parts of the file hold tensors (say which with --part: a, b)")
        #expect(
            refusal(file("w"), part: "v")
                == #"x.pth: no such part with tensors: found "v" (one of: w)"#)
    }

    @Test func oneSourceForBothFormats() throws {
        let pickled = try StateFile(bytes: fixture("dtypes.pth"), name: "a")
        let names = pickled.tensors.map(\.name)
        var writer = SafeTensorsWriter()
        for tensor in pickled.tensors {
            writer.add(
                tensor.name, tensor.dtype, shape: tensor.shape,
                bytes: try pickled.bytes(of: tensor.name))
        }
        let written = try StateFile(bytes: writer.encoded(), name: "b")
        #expect(written.form == "safetensors" && pickled.form == "PyTorch zip archive")
        for name in names { #expect(try written.bytes(of: name) == pickled.bytes(of: name)) }
        #expect(Set(written.tensors.map(\.name)) == Set(names))
    }

    /// What is neither of the formats says what it is.
    @Test func otherFiles() {
        func complaint(_ bytes: [UInt8]) -> String? {
            do throws(Problem) {
                _ = try StateFile(bytes: bytes, name: "x")
                return nil
            } catch {
                return error.description
            }
        }
        let what = "x: neither safetensors nor a file that torch.save wrote: found "
        #expect(complaint([]) == what + "an empty file (was it copied or downloaded to the end?)")
        #expect(complaint([0, 1, 2]) == what + "a file that begins with 00 01 02")
        #expect(
            complaint(Array("a,b".utf8))
                == what + "text (weights are a safetensors file, or what torch.save wrote)")
        var zip = Zip(pickle: [])
        zip.entries = [("notes/w.pth", [1])]
        zip.method = 8
        #expect(
            complaint(zip.bytes)
                == #"x: not a file that torch.save wrote: found a zip archive that begins with "notes/w.pth" (if the weights are inside, unpack it first: unzip)"#
        )
        zip.entries = [("a/data.pkl", [1]), ("a/code/__torch__.py", [1])]
        #expect(complaint(zip.bytes)?.contains("zip entry is compressed") == true)
        zip.entries.removeFirst()
        #expect(complaint(zip.bytes)?.contains("a TorchScript archive is a program") == true)
    }
}
