import Protobuf

/// An event of TensorBoard: what was logged at one step.
public struct Event: Equatable, Sendable {
    public enum Value: Equatable, Sendable {
        case scalar(Float)
        /// Shown as Markdown.
        case text(String)
        case image(Image)
    }

    public struct Image: Equatable, Sendable {
        /// The file.
        public var png: [UInt8]
        /// In pixels.
        public var width: Int
        public var height: Int
        /// 1 for grey, 3 for colours.
        public var channels: Int

        public init(png: [UInt8], width: Int, height: Int, channels: Int) {
            self.png = png
            self.width = width
            self.height = height
            self.channels = channels
        }
    }

    public struct Entry: Equatable, Sendable {
        /// What it is called; what stands before a slash groups it: `loss/total`.
        public var tag: String
        public var value: Value

        public init(_ tag: String, _ value: Value) {
            self.tag = tag
            self.value = value
        }
    }

    /// Seconds since 1970.
    public var time: Double
    public var step: Int
    public var entries: [Entry]
    /// Of the file's format, which its first event says.
    var version: String?

    public init(time: Double, step: Int, _ entries: [Entry]) {
        self.time = time
        self.step = step
        self.entries = entries
    }

    static func version(time: Double) -> Event {
        var event = Event(time: time, step: 0, [])
        event.version = "brain.Event:2"
        return event
    }
}

extension Event {
    /// The message `Event` of TensorBoard's `event.proto`. Scalars are `simple_value`, which every
    /// version of TensorBoard reads; texts are tensors of the plugin `text`.
    var encoded: [UInt8] {
        var message = ProtobufWriter()
        message.double(1, time)
        if let version {
            message.text(3, version)
            return message.bytes
        }
        message.integer(2, step)
        message.message(5) { summary in
            for entry in entries {
                summary.message(1) { value in
                    value.text(1, entry.tag)
                    entry.value.write(to: &value)
                }
            }
        }
        return message.bytes
    }

    /// Nil for bytes that are no event. Values of other kinds are passed over.
    init?(_ bytes: ArraySlice<UInt8>) {
        self.init(time: 0, step: 0, [])
        var event = self
        let isEvent = fields(bytes) { field in
            switch field.number {
            case 1: event.time = field.value.double ?? 0
            case 2: event.step = field.value.integer ?? 0
            case 3: event.version = field.value.text
            case 5:
                return fields(field.value.data ?? []) { field in
                    guard field.number == 1, let value = field.value.data else { return true }
                    if let entry = Entry(value) { event.entries.append(entry) }
                    return true
                }
            default: break
            }
            return true
        }
        guard isEvent else { return nil }
        self = event
    }
}

extension Event.Value {
    fileprivate func write(to value: inout ProtobufWriter) {
        switch self {
        case .scalar(let number): value.float(2, number)
        case .image(let image):
            value.message(4) {
                $0.integer(1, image.height)
                $0.integer(2, image.width)
                $0.integer(3, image.channels)
                $0.data(4, image.png)
            }
        case .text(let text):
            value.message(8) {
                $0.integer(1, 7)  // strings
                $0.message(2) { $0.message(2) { $0.integer(1, 1) } }  // one of them
                $0.text(8, text)
            }
            value.message(9) { $0.message(1) { $0.text(1, "text") } }
        }
    }
}

extension Event.Entry {
    /// Nil for a kind that is not written here.
    fileprivate init?(_ bytes: ArraySlice<UInt8>) {
        var tag = ""
        var value: Event.Value?
        let isEntry = fields(bytes) { field in
            switch field.number {
            case 1: tag = field.value.text ?? ""
            case 2: value = field.value.float.map { .scalar($0) }
            case 4:
                var image = Event.Image(png: [], width: 0, height: 0, channels: 0)
                defer { value = .image(image) }
                return fields(field.value.data ?? []) { field in
                    switch field.number {
                    case 1: image.height = field.value.integer ?? 0
                    case 2: image.width = field.value.integer ?? 0
                    case 3: image.channels = field.value.integer ?? 0
                    case 4: image.png = Array(field.value.data ?? [])
                    default: break
                    }
                    return true
                }
            case 8:
                return fields(field.value.data ?? []) { field in
                    if field.number == 8, let text = field.value.text { value = .text(text) }
                    return true
                }
            default: break
            }
            return true
        }
        guard isEntry, let value else { return nil }
        self.init(tag, value)
    }
}

/// Whether `bytes` are a message, all of whose fields `body` accepts.
private func fields(
    _ bytes: ArraySlice<UInt8>, _ body: (ProtobufReader.Field) -> Bool
) -> Bool {
    var reader = ProtobufReader(bytes)
    do {
        while let field = try reader.next() {
            guard body(field) else { return false }
        }
        return true
    } catch {
        return false
    }
}
