// Points drawn by WebGL 2: a million of them are two buffers and a draw.

const VERTEX = `#version 300 es
in vec2 place;
in uint group;
uniform vec2 middle;
uniform vec2 scale;
uniform float size;
uniform sampler2D palette;
flat out vec3 colour;
void main() {
  gl_Position = vec4((place - middle) * scale, 0.0, 1.0);
  gl_PointSize = size;
  int width = textureSize(palette, 0).x;
  colour = texelFetch(palette, ivec2(int(group) % width, int(group) / width), 0).rgb;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
flat in vec3 colour;
uniform float size;
uniform float alpha;
out vec4 paint;
void main() {
  float cover = 1.0;
  if (size > 3.0) {
    float outside = (length(gl_PointCoord - 0.5) - 0.5) * size;
    cover = clamp(0.5 - outside, 0.0, 1.0);
    if (cover <= 0.0) discard;
  }
  float a = alpha * cover;
  paint = vec4(colour * a, a);
}`;

const WIDEST = 1_024; // of the palette's texture

/** A renderer; see `Points2d` for the same without WebGL. */
export class PointsGl {
  /** Null where there is no WebGL 2, or only one that the processor does: 2D is faster then. */
  static on(canvas, { evenSlow = false } = {}) {
    const gl = canvas.getContext("webgl2", {
      alpha: true,
      antialias: false,
      depth: false,
      preserveDrawingBuffer: true, // a picture is finished over several frames
      failIfMajorPerformanceCaveat: !evenSlow,
    });
    if (!gl || (!evenSlow && isSoftware(gl))) return null;
    const program = linked(gl);
    return program && new PointsGl(gl, program);
  }

  constructor(gl, program) {
    this.name = "webgl";
    this.gl = gl;
    this.program = program;
    this.at = Object.fromEntries(
      ["middle", "scale", "size", "alpha", "palette"].map((name) => [
        name,
        gl.getUniformLocation(this.program, name),
      ]),
    );
    this.places = gl.createBuffer();
    this.groups = gl.createBuffer();
    this.lists = { bright: null, dim: null };
    this.palette = gl.createTexture();
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  setPoints(xy) {
    const { gl } = this;
    this.count = xy.length / 2;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.places);
    gl.bufferData(gl.ARRAY_BUFFER, xy, gl.STATIC_DRAW);
  }

  /** `groups`: Uint16Array; `palette`: four bytes each. */
  setGroups(groups, palette) {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.groups);
    gl.bufferData(gl.ARRAY_BUFFER, groups, gl.DYNAMIC_DRAW);
    const colours = palette.length / 4;
    const width = Math.min(colours, WIDEST);
    const height = Math.ceil(colours / width);
    const texels = new Uint8Array(4 * width * height);
    texels.set(palette);
    gl.bindTexture(gl.TEXTURE_2D, this.palette);
    gl.texImage2D(
      gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels,
    );
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }

  /** The rows of the bright and of the dim points; null: all are bright. */
  setLists(bright, dim) {
    const { gl } = this;
    for (const [name, rows] of Object.entries({ bright, dim })) {
      if (this.lists[name]) gl.deleteBuffer(this.lists[name].buffer);
      this.lists[name] = rows && { buffer: gl.createBuffer(), length: rows.length };
      if (!rows) continue;
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.lists[name].buffer);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, rows, gl.DYNAMIC_DRAW);
    }
  }

  resize(width, height) {
    this.gl.canvas.width = width;
    this.gl.canvas.height = height;
    this.gl.viewport(0, 0, width, height);
  }

  /** `view`: {camera, ratio, radius}; the picture begins anew. */
  begin({ camera, ratio, radius }) {
    const { gl, at } = this;
    const { width, height } = gl.canvas;
    const scale = 2 * camera.scale * ratio;
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(this.program);
    gl.uniform2f(at.middle, camera.x, camera.y);
    gl.uniform2f(at.scale, scale / width, scale / height);
    gl.uniform1f(at.size, 2 * radius * ratio);
    gl.uniform1i(at.palette, 0);
    gl.bindTexture(gl.TEXTURE_2D, this.palette);
    this.attribute("place", this.places, () =>
      gl.vertexAttribPointer(this.located("place"), 2, gl.FLOAT, false, 0, 0));
    this.attribute("group", this.groups, () =>
      gl.vertexAttribIPointer(this.located("group"), 1, gl.UNSIGNED_SHORT, 0, 0));
  }

  /** Draws points `from` to `to` of a list over what is there. */
  draw(name, from, to) {
    const { gl } = this;
    gl.uniform1f(this.at.alpha, name === "dim" ? 0.18 : 0.9);
    const list = this.lists[name];
    if (list) {
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, list.buffer);
      gl.drawElements(gl.POINTS, to - from, gl.UNSIGNED_INT, 4 * from);
    } else gl.drawArrays(gl.POINTS, from, to - from);
  }

  end() {}

  located(name) {
    return this.gl.getAttribLocation(this.program, name);
  }

  attribute(name, buffer, describe) {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, buffer);
    this.gl.enableVertexAttribArray(this.located(name));
    describe();
  }

  close() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

// Not every browser says of itself that the processor does the work of a graphics card.
function isSoftware(gl) {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  return /swiftshader|llvmpipe|softpipe|basic render|software/i.test(name);
}

function linked(gl) {
  const program = gl.createProgram();
  for (const [kind, text] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}
